package io.attune.engine.token;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/**
 * The bytes that each token stands for. Tokens may end in the middle of a character, so a token's
 * own text cannot be had by decoding it; together the bytes of an answer's tokens are its text.
 * Immutable.
 */
final class TokenBytes {
  private static final byte[] NONE = {};

  /** Where byte-level tokenizers put the bytes that are no printable characters. */
  private static final Map<Character, Byte> BYTE_OF_CHARACTER = byteLevel();

  private final Map<Integer, byte[]> bytes = new HashMap<>();

  /**
   * @param json a tokenizer.json
   */
  TokenBytes(byte[] json) {
    Map<Integer, String> tokens = new HashMap<>();
    JsonNode added = null;
    String decoder = "";
    try (JsonParser parser = Vocabulary.MAPPER.createParser(json)) {
      parser.nextToken();
      while (parser.nextToken() != JsonToken.END_OBJECT) {
        String key = parser.currentName();
        parser.nextToken();
        switch (key) {
          case "model" -> readModel(parser, tokens);
          case "added_tokens" -> added = Vocabulary.MAPPER.readTree(parser);
          case "decoder" -> decoder = Vocabulary.MAPPER.readTree(parser).toString();
          default -> parser.skipChildren();
        }
      }
    } catch (IOException impossible) {
      // The tokenizer has read it before.
      throw new UncheckedIOException(impossible);
    }
    boolean byteLevel = decoder.contains("\"ByteLevel\"");
    boolean byteFallback = decoder.contains("\"ByteFallback\"");
    tokens.forEach((id, token) -> bytes.put(id, bytes(token, byteLevel, byteFallback)));
    if (added != null) {
      for (JsonNode token : added) {
        boolean special = token.path("special").asBoolean();
        bytes.put(
            token.path("id").asInt(-1), special ? NONE : utf8(token.path("content").asText()));
      }
    }
  }

  private static void readModel(JsonParser parser, Map<Integer, String> tokens) throws IOException {
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String key = parser.currentName();
      JsonToken value = parser.nextToken();
      if (!key.equals("vocab")) {
        parser.skipChildren();
      } else if (value == JsonToken.START_OBJECT) {
        while (parser.nextToken() != JsonToken.END_OBJECT) {
          String token = parser.currentName();
          tokens.put(parser.nextIntValue(-1), token);
        }
      } else {
        // Unigram: [token, score] in the order of ids.
        int id = 0;
        while (parser.nextToken() == JsonToken.START_ARRAY) {
          tokens.put(id++, parser.nextTextValue());
          while (parser.nextToken() != JsonToken.END_ARRAY) {
            parser.skipChildren();
          }
        }
      }
    }
  }

  private static byte[] bytes(String token, boolean byteLevel, boolean byteFallback) {
    if (byteLevel) {
      ByteArrayOutputStream out = new ByteArrayOutputStream(token.length());
      for (int i = 0; i < token.length(); i++) {
        Byte known = BYTE_OF_CHARACTER.get(token.charAt(i));
        if (known == null) {
          return utf8(token);
        }
        out.write(known);
      }
      return out.toByteArray();
    }
    if (byteFallback && token.matches("<0x[0-9A-F]{2}>")) {
      return new byte[] {(byte) Integer.parseInt(token.substring(3, 5), 16)};
    }
    // SentencePiece's blank.
    return utf8(token.replace('\u2581', ' '));
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /** As bytes_to_unicode of GPT-2. */
  private static Map<Character, Byte> byteLevel() {
    Map<Character, Byte> result = new HashMap<>();
    int others = 256;
    for (int b = 0; b < 256; b++) {
      boolean printable = (b > 32 && b < 127) || (b > 160 && b != 173);
      result.put((char) (printable ? b : others++), (byte) b);
    }
    return Map.copyOf(result);
  }

  /** Empty for a special token, and for an id that is no token. */
  byte[] get(int id) {
    return bytes.getOrDefault(id, NONE).clone();
  }
}
