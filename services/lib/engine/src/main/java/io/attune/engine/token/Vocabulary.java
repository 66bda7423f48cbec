package io.attune.engine.token;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.util.JsonParserDelegate;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.checkpoint.JsonFiles;
import io.attune.engine.checkpoint.ModelFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * What is needed of {@code tokenizer.json} besides the tokenizer itself. Checks the file before
 * native code sees it: a file that the native library cannot bear ends the process.
 *
 * @param added ids of the added tokens, special ones among them, by their text
 * @param maxChars characters of a text that may be given to it at once
 */
record Vocabulary(byte[] json, Map<String, Integer> added, int maxChars) {
  /** The largest published one has 34 MB; native code gets a copy as text. */
  private static final long MAX_BYTES = 40L << 20;

  /** The native library adds each in time proportional to their number. */
  private static final int MAX_ADDED = 10_000;

  private static final int MAX_ADDED_CHARS = 1024;
  private static final int MAX_PART_TOKENS = 20_000;

  /** A match of more steps ends the process. */
  private static final long MAX_STEPS = 10_000_000;

  private static final int MAX_CHARS = 8 << 20;

  private static final JsonFactory JSON = JsonFiles.factory(Long.MAX_VALUE);
  static final ObjectMapper MAPPER = new ObjectMapper(JSON);

  static Vocabulary read(Path path) {
    byte[] json = ModelFiles.read(path, MAX_BYTES);
    Map<String, Integer> added = new HashMap<>();
    long steps = 1;
    requireWholeCharacters(json, path);
    try (JsonParser parser = JSON.createParser(json)) {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        throw new IllegalArgumentException("it does not hold a JSON object");
      }
      while (parser.nextToken() != JsonToken.END_OBJECT) {
        String key = parser.currentName();
        parser.nextToken();
        switch (key) {
          case "added_tokens" -> addTokens(parser, added);
          case "model" -> TokenizerModel.check(parser);
          case "normalizer", "pre_tokenizer", "post_processor", "decoder" ->
              steps += TokenizerParts.check(key, tree(parser));
          default -> parser.skipChildren();
        }
      }
      if (parser.nextToken() != null) {
        throw new IllegalArgumentException("it goes on after the closing brace");
      }
    } catch (JsonProcessingException e) {
      throw new EngineException(
          Reason.CORRUPT, path + " is not valid JSON: " + e.getOriginalMessage(), e);
    } catch (IOException | IllegalArgumentException e) {
      throw new EngineException(Reason.CORRUPT, path + " is refused: " + e.getMessage(), e);
    }
    return new Vocabulary(json, Map.copyOf(added), (int) Math.min(MAX_CHARS, MAX_STEPS / steps));
  }

  private static void addTokens(JsonParser parser, Map<String, Integer> added) throws IOException {
    if (parser.currentToken() != JsonToken.START_ARRAY) {
      throw new IllegalArgumentException("'added_tokens' is no list");
    }
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      JsonNode token = tree(parser);
      JsonNode content = token.path("content");
      JsonNode id = token.path("id");
      if (!content.isTextual() || content.textValue().length() > MAX_ADDED_CHARS) {
        throw new IllegalArgumentException("'added_tokens' holds " + token);
      }
      if (!id.isInt() || id.intValue() < 0 || id.intValue() > TokenizerParts.MAX_ID) {
        throw new IllegalArgumentException(
            "'added_tokens' gives '" + content.textValue() + "' the id " + id);
      }
      added.put(content.textValue(), id.intValue());
      if (added.size() > MAX_ADDED) {
        throw new IllegalArgumentException("'added_tokens' has more than " + MAX_ADDED);
      }
    }
  }

  /** The value at which a parser stands; refuses one of very many parts. */
  private static JsonNode tree(JsonParser parser) throws IOException {
    JsonParserDelegate bounded =
        new JsonParserDelegate(parser) {
          private int tokens;

          @Override
          public JsonToken nextToken() throws IOException {
            if (++tokens > MAX_PART_TOKENS) {
              throw new IllegalArgumentException(
                  "a part has more than " + MAX_PART_TOKENS + " values");
            }
            return super.nextToken();
          }
        };
    JsonNode tree = MAPPER.readTree(bounded);
    requireFinite(tree);
    return tree;
  }

  /** The native library's JSON parser knows no number beyond a double. */
  private static void requireFinite(JsonNode tree) {
    if (tree.isNumber() && !Double.isFinite(tree.doubleValue())) {
      throw new IllegalArgumentException("it holds a number beyond all bounds");
    }
    tree.forEach(Vocabulary::requireFinite);
  }

  /**
   * Refuses half of a surrogate pair: an escape that Java reads and the native library ends the
   * process at.
   */
  private static void requireWholeCharacters(byte[] json, Path path) {
    for (int i = 0; i + 1 < json.length; i++) {
      if (json[i] != '\\') {
        continue;
      }
      int unit = escaped(json, i);
      boolean pair =
          unit >= 0
              && Character.isHighSurrogate((char) unit)
              && escaped(json, i + 6) >= 0
              && Character.isLowSurrogate((char) escaped(json, i + 6));
      if (unit >= 0 && Character.isSurrogate((char) unit) && !pair) {
        throw new EngineException(Reason.CORRUPT, path + " holds half of a character at byte " + i);
      }
      i += pair ? 11 : 1;
    }
  }

  /** The UTF-16 unit that an escape writes, -1 where there is none. */
  private static int escaped(byte[] json, int at) {
    if (at + 6 > json.length || json[at] != '\\' || json[at + 1] != 'u') {
      return -1;
    }
    int unit = 0;
    for (int i = at + 2; i < at + 6; i++) {
      unit = unit << 4 | (Character.digit(json[i], 16) & 15);
    }
    return unit;
  }
}
