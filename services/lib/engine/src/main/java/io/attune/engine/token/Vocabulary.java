package io.attune.engine.token;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * What is needed of {@code tokenizer.json} besides the tokenizer itself. Checks its size and depth
 * before native code sees it.
 *
 * @param added ids of the added tokens, special ones among them, by their text
 */
record Vocabulary(byte[] json, Map<String, Integer> added) {
  private static final long MAX_BYTES = 128L << 20;

  static final ObjectMapper MAPPER =
      new ObjectMapper(
          JsonFactory.builder()
              .streamReadConstraints(
                  StreamReadConstraints.builder()
                      .maxNestingDepth(64)
                      .maxStringLength(32 << 20)
                      .build())
              .build());

  static Vocabulary read(Path path) {
    try {
      if (Files.size(path) > MAX_BYTES) {
        throw new EngineException(Reason.CORRUPT, path + " exceeds " + MAX_BYTES + " bytes");
      }
      byte[] json = Files.readAllBytes(path);
      return new Vocabulary(json, addedTokens(json, path));
    } catch (IOException e) {
      throw new EngineException(Reason.CORRUPT, "cannot read " + path + ": " + e.getMessage(), e);
    }
  }

  private static Map<String, Integer> addedTokens(byte[] json, Path path) throws IOException {
    Map<String, Integer> added = new HashMap<>();
    try (JsonParser parser = MAPPER.createParser(json)) {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        throw new EngineException(Reason.CORRUPT, path + " does not hold a JSON object");
      }
      while (parser.nextToken() != JsonToken.END_OBJECT) {
        String key = parser.currentName();
        parser.nextToken();
        if (!key.equals("added_tokens")) {
          parser.skipChildren();
          continue;
        }
        JsonNode tokens = MAPPER.readTree(parser);
        for (JsonNode token : tokens) {
          added.put(token.path("content").asText(), token.path("id").asInt(-1));
        }
      }
    }
    return added;
  }
}
