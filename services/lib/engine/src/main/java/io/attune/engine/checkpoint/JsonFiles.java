package io.attune.engine.checkpoint;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
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
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** JSON from strangers: bounded in size, depth and memory, duplicate keys refused. */
public final class JsonFiles {
  /**
   * Tokens of a file: a tree needs up to 100 bytes for each, whatever the file's size says. The
   * index of a model with 200,000 tensors has 400,000.
   */
  private static final long MAX_TOKENS = 600_000;

  private static final int MAX_DEPTH = 64;

  private static final ObjectMapper MAPPER = mapper(Long.MAX_VALUE);
  private static final ObjectMapper FILE_MAPPER = mapper(MAX_TOKENS);

  /** For values that others follow. */
  private static final ObjectMapper VALUE_MAPPER = new ObjectMapper(factory(Long.MAX_VALUE));

  private JsonFiles() {}

  private static ObjectMapper mapper(long maxTokens) {
    return new ObjectMapper(factory(maxTokens))
        .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
  }

  /** Parsers of bounded depth that refuse duplicate keys and keep no names of strangers. */
  public static JsonFactory factory(long maxTokens) {
    return JsonFactory.builder()
        .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
        .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
        .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
        .streamReadConstraints(
            StreamReadConstraints.builder()
                .maxNestingDepth(MAX_DEPTH)
                .maxStringLength(64 << 20)
                .maxTokenCount(maxTokens)
                .build())
        .build();
  }

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
    byte[] bytes = ModelFiles.read(path, maxBytes);
    // Left to itself, the parser would guess the encoding, and bear broken UTF-8 in names.
    try (Reader text =
        new InputStreamReader(
            new ByteArrayInputStream(bytes), StandardCharsets.UTF_8.newDecoder())) {
      return FILE_MAPPER.readTree(text);
    } catch (CharacterCodingException e) {
      throw new EngineException(Reason.CORRUPT, path + " is not UTF-8", e);
    } catch (JsonProcessingException e) {
      throw new EngineException(
          Reason.CORRUPT, path + " is not valid JSON: " + e.getOriginalMessage(), e);
    } catch (IOException e) {
      throw new EngineException(Reason.CORRUPT, path + " is not valid JSON: " + e, e);
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

  /** Reads values one after the other, each bounded as a value alone is. */
  public static JsonParser parser(Reader reader) throws IOException {
    return VALUE_MAPPER.createParser(reader);
  }

  /** The value as null, booleans, numbers, strings, and lists and maps of them. */
  public static Object plain(JsonNode node) {
    return MAPPER.convertValue(node, Object.class);
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
