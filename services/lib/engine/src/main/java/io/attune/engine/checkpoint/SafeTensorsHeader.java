package io.attune.engine.checkpoint;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The JSON header of a safetensors file, with every check of the reference implementation: the
 * tensors tile the data exactly, without overlap, hole or remainder, and each has as many bytes as
 * its type and shape need.
 *
 * @param tensors by name, in the order of their bytes
 */
record SafeTensorsHeader(Map<String, TensorInfo> tensors, Map<String, String> metadata) {
  /** The reference implementation's limit. */
  static final long MAX_BYTES = 100_000_000;

  /** More than the largest mixture of experts has in all its shards. */
  private static final int MAX_TENSORS = 250_000;

  private static final int MAX_RANK = 64;

  /** Characters of names and metadata that are kept. */
  private static final long MAX_TEXT = 32L << 20;

  private static final int MAX_NAME = 1024;

  /** A well-formed header nests three deep: header, tensor, shape. */
  private static final JsonFactory JSON =
      JsonFiles.factory(Long.MAX_VALUE)
          .setStreamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(4)
                  .maxNumberLength(20)
                  .maxNameLength(MAX_NAME)
                  .maxStringLength(8 << 20)
                  .build());

  /**
   * Reads as it goes, so that the memory needed depends on what the header says, not on its size.
   *
   * @param in begins with the header
   * @param length bytes of the header
   * @param dataBytes bytes of the file after the header
   */
  static SafeTensorsHeader parse(InputStream in, long length, long dataBytes, String source)
      throws IOException {
    Map<String, TensorInfo> tensors = new LinkedHashMap<>();
    Map<String, String> metadata = new LinkedHashMap<>();
    Reader text = new InputStreamReader(new Limited(in, length), strictUtf8());
    try (JsonParser parser = JSON.createParser(text)) {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        throw corrupt(source, "its header does not begin with '{'", null);
      }
      long kept = 0;
      while (parser.nextToken() != JsonToken.END_OBJECT) {
        String name = parser.currentName();
        if (name.equals("__metadata__")) {
          kept += readMetadata(parser, metadata, source);
        } else {
          tensors.put(name, readTensor(parser, name, source));
          kept += name.length();
        }
        if (tensors.size() > MAX_TENSORS || kept > MAX_TEXT) {
          throw corrupt(
              source,
              "its header has more than "
                  + (kept > MAX_TEXT
                      ? MAX_TEXT + " characters of names"
                      : MAX_TENSORS + " tensors"),
              null);
        }
      }
      if (parser.nextToken() != null) {
        throw corrupt(source, "its header goes on after the closing brace", null);
      }
    } catch (CharacterCodingException e) {
      throw corrupt(source, "its header is not UTF-8", e);
    } catch (JsonProcessingException e) {
      throw corrupt(source, "its header is not valid JSON (" + firstLine(e) + ")", e);
    }
    return new SafeTensorsHeader(checkTiling(tensors, dataBytes, source), metadata);
  }

  private static CharsetDecoder strictUtf8() {
    return StandardCharsets.UTF_8
        .newDecoder()
        .onMalformedInput(CodingErrorAction.REPORT)
        .onUnmappableCharacter(CodingErrorAction.REPORT);
  }

  /** The first bytes of a stream. */
  private static final class Limited extends FilterInputStream {
    private long left;

    Limited(InputStream in, long length) {
      super(in);
      this.left = length;
    }

    @Override
    public int read() throws IOException {
      int value = left > 0 ? super.read() : -1;
      left--;
      return value;
    }

    @Override
    public int read(byte[] bytes, int offset, int count) throws IOException {
      if (left <= 0) {
        return -1;
      }
      int read = super.read(bytes, offset, (int) Math.min(count, left));
      left -= Math.max(0, read);
      return read;
    }

    /** The file stays open. */
    @Override
    public void close() {}
  }

  /** Returns how many characters were kept. */
  private static long readMetadata(JsonParser parser, Map<String, String> into, String source)
      throws IOException {
    if (parser.nextToken() == JsonToken.VALUE_NULL) {
      return 0;
    }
    long kept = 0;
    expect(parser, parser.currentToken(), JsonToken.START_OBJECT, source);
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String key = parser.currentName();
      expect(parser, parser.nextToken(), JsonToken.VALUE_STRING, source);
      String value = parser.getText();
      into.put(key, value);
      // An entry of a map takes more than its text.
      kept += key.length() + value.length() + 64L;
      if (kept > MAX_TEXT) {
        throw corrupt(source, "its metadata exceeds " + MAX_TEXT + " characters", null);
      }
    }
    return kept;
  }

  private static TensorInfo readTensor(JsonParser parser, String name, String source)
      throws IOException {
    expect(parser, parser.nextToken(), JsonToken.START_OBJECT, source);
    TensorType type = null;
    long[] shape = null;
    long[] offsets = null;
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String key = parser.currentName();
      JsonToken value = parser.nextToken();
      switch (key) {
        case "dtype" -> {
          expect(parser, value, JsonToken.VALUE_STRING, source);
          type = type(parser.getText(), name, source);
        }
        case "shape" -> shape = longs(parser, value, source);
        case "data_offsets" -> offsets = longs(parser, value, source);
        default -> parser.skipChildren();
      }
    }
    if (type == null || shape == null || offsets == null || offsets.length != 2) {
      throw corrupt(source, "tensor '" + name + "' lacks dtype, shape or two data_offsets", null);
    }
    return new TensorInfo(name, type, shape, offsets[0], offsets[1]);
  }

  private static TensorType type(String dtype, String name, String source) {
    for (TensorType type : TensorType.values()) {
      if (type.name().equals(dtype)) {
        return type;
      }
    }
    throw new EngineException(
        Reason.UNSUPPORTED,
        source
            + ": tensor '"
            + name
            + "' has dtype "
            + dtype
            + ", which is not supported; convert it to F32, F16 or BF16");
  }

  private static long[] longs(JsonParser parser, JsonToken start, String source)
      throws IOException {
    expect(parser, start, JsonToken.START_ARRAY, source);
    List<Long> values = new ArrayList<>();
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      expect(parser, parser.currentToken(), JsonToken.VALUE_NUMBER_INT, source);
      if (values.size() == MAX_RANK) {
        throw corrupt(source, "a shape has more than " + MAX_RANK + " dimensions", null);
      }
      long value = parser.getLongValue();
      if (value < 0) {
        throw corrupt(source, "its header has a negative size or offset " + value, null);
      }
      values.add(value);
    }
    return values.stream().mapToLong(Long::longValue).toArray();
  }

  private static Map<String, TensorInfo> checkTiling(
      Map<String, TensorInfo> tensors, long dataBytes, String source) {
    List<TensorInfo> order = new ArrayList<>(tensors.values());
    order.sort(Comparator.comparingLong(TensorInfo::begin).thenComparingLong(TensorInfo::end));
    Map<String, TensorInfo> sorted = new LinkedHashMap<>();
    long position = 0;
    for (TensorInfo tensor : order) {
      if (tensor.begin() != position || tensor.end() < tensor.begin()) {
        throw corrupt(
            source,
            String.format(
                "tensor '%s' is at bytes %d to %d, but byte %d is next: overlap or hole",
                tensor.name(), tensor.begin(), tensor.end(), position),
            null);
      }
      long needed =
          TensorInfo.byteSize(
              source + ": tensor '" + tensor.name() + "'", tensor.type(), tensor.shape());
      if (needed != tensor.byteSize()) {
        throw corrupt(
            source,
            String.format("tensor %s needs %d bytes and has %d", tensor, needed, tensor.byteSize()),
            null);
      }
      position = tensor.end();
      sorted.put(tensor.name(), tensor);
    }
    if (position != dataBytes) {
      throw corrupt(
          source,
          "its tensors take "
              + position
              + " bytes and the file has "
              + dataBytes
              + " after the header: truncated, or something is appended",
          null);
    }
    return sorted;
  }

  private static void expect(JsonParser parser, JsonToken found, JsonToken wanted, String source)
      throws IOException {
    if (found != wanted) {
      String where = parser.currentName();
      throw corrupt(
          source,
          "its header has "
              + found
              + " where "
              + wanted
              + " belongs"
              + (where == null ? "" : " (at '" + where + "')"),
          null);
    }
  }

  private static String firstLine(IOException e) {
    return String.valueOf(e.getMessage()).lines().findFirst().orElse("");
  }

  private static EngineException corrupt(String source, String what, Exception cause) {
    return new EngineException(
        Reason.CORRUPT, source + " is not a valid safetensors file: " + what, cause);
  }
}
