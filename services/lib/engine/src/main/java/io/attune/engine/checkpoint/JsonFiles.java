package io.attune.engine.checkpoint;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** JSON from strangers: bounded in size and depth, duplicate keys refused. */
public final class JsonFiles {
  private static final ObjectMapper MAPPER =
      new ObjectMapper(
              JsonFactory.builder()
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxNestingDepth(64)
                          .maxStringLength(64 << 20)
                          .build())
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  private JsonFiles() {}

  /** Reads an object; {@code maxBytes} bounds the file before it is read. */
  public static ObjectNode readObject(Path path, long maxBytes) {
    return object(read(path, maxBytes), path.toString());
  }

  /** As {@link #readObject}, for a list. */
  public static ArrayNode readArray(Path path, long maxBytes) {
    if (read(path, maxBytes) instanceof ArrayNode array) {
      return array;
    }
    throw new EngineException(Reason.CORRUPT, path + " does not hold a JSON array");
  }

  private static JsonNode read(Path path, long maxBytes) {
    try {
      long size = Files.size(path);
      if (size > maxBytes) {
        throw new EngineException(
            Reason.CORRUPT, path + " has " + size + " bytes; at most " + maxBytes + " are read");
      }
      return MAPPER.readTree(Files.readAllBytes(path));
    } catch (JsonProcessingException e) {
      throw new EngineException(
          Reason.CORRUPT, path + " is not valid JSON: " + e.getOriginalMessage(), e);
    } catch (IOException e) {
      throw new EngineException(Reason.IO, "cannot read " + path + ": " + e, e);
    }
  }

  /** Parses one JSON value; {@code where} names its origin in messages. */
  public static JsonNode parse(String text, String where) {
    try {
      return MAPPER.readTree(text);
    } catch (JsonProcessingException e) {
      throw new EngineException(
          Reason.INVALID_ARGUMENT, where + ": not valid JSON: " + e.getOriginalMessage(), e);
    }
  }

  public static ObjectNode newObject() {
    return MAPPER.createObjectNode();
  }

  /** Indented as Hugging Face's tools write it, with a newline at the end. */
  public static byte[] pretty(JsonNode node) {
    try {
      return (MAPPER.writerWithDefaultPrettyPrinter().writeValueAsString(node) + "\n")
          .getBytes(StandardCharsets.UTF_8);
    } catch (JsonProcessingException e) {
      throw new EngineException(Reason.INVALID_ARGUMENT, "cannot write JSON: " + e, e);
    }
  }

  /** Without any white space. */
  public static byte[] compact(JsonNode node) {
    return node.toString().getBytes(StandardCharsets.UTF_8);
  }

  private static ObjectNode object(JsonNode node, String source) {
    if (node instanceof ObjectNode object) {
      return object;
    }
    throw new EngineException(Reason.CORRUPT, source + " does not hold a JSON object");
  }
}
