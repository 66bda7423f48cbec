package io.attune.engine.gguf;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.ObjIntConsumer;

/**
 * The key-value pairs of a file. Strings and arrays stay in the mapped file until they are asked
 * for. A value of another type than asked for is an error that names the key.
 */
final class GgufMetadata {
  /** The most that real files have is below a hundred. */
  private static final long MAX_PAIRS = 1 << 16;

  /** By the format's definition. */
  private static final int MAX_KEY_BYTES = (1 << 16) - 1;

  private static final int MAX_DEPTH = 4;
  private static final int MAX_TEXT_BYTES = 1 << 20;

  /** The largest vocabularies have some 260,000 tokens and 450,000 merges. */
  private static final int MAX_ARRAY = 1 << 20;

  private static final int MAX_ARRAY_TEXT_BYTES = 16 << 20;

  /** Where a value lies in the file. */
  private record Value(ValueType type, int position) {}

  private final Map<String, Value> values;
  private final HeaderCursor in;

  private GgufMetadata(Map<String, Value> values, HeaderCursor in) {
    this.values = values;
    this.in = in;
  }

  /** Reads past {@code count} pairs. */
  static GgufMetadata read(HeaderCursor in, int count) {
    Map<String, Value> values = new LinkedHashMap<>();
    for (int i = 0; i < count; i++) {
      String key = in.string(MAX_KEY_BYTES, "the key of metadata pair " + i);
      String what = "metadata '" + key + "'";
      ValueType type = ValueType.of(in.int32(what), in, what);
      if (values.put(key, new Value(type, in.position())) != null) {
        throw in.corrupt(what + " is there twice");
      }
      skip(in, type, what, 0);
    }
    return new GgufMetadata(values, in);
  }

  static int readCount(HeaderCursor in) {
    return in.count(MAX_PAIRS, Long.BYTES + Integer.BYTES + 1, "the number of metadata pairs");
  }

  private static void skip(HeaderCursor in, ValueType type, String what, int depth) {
    switch (type) {
      case STRING -> in.skipString(what);
      case ARRAY -> skipArray(in, what, depth);
      case BOOL -> {
        byte value = in.int8(what);
        if (value != 0 && value != 1) {
          throw in.corrupt(what + " is " + value + ", neither true nor false");
        }
      }
      default -> in.skip(type.bytes(), what);
    }
  }

  private static void skipArray(HeaderCursor in, String what, int depth) {
    if (depth == MAX_DEPTH) {
      throw in.corrupt(what + " nests arrays deeper than " + MAX_DEPTH);
    }
    ValueType type = ValueType.of(in.int32(what), in, what);
    int least =
        switch (type) {
          case STRING -> Long.BYTES;
          case ARRAY -> Integer.BYTES + Long.BYTES;
          default -> type.bytes();
        };
    int count = in.length(Integer.MAX_VALUE, least, what);
    if (type.bytes() > 0 && type != ValueType.BOOL) {
      in.skip((long) count * type.bytes(), what);
      return;
    }
    for (int i = 0; i < count; i++) {
      skip(in, type, what, depth + 1);
    }
  }

  Set<String> keys() {
    return Collections.unmodifiableSet(values.keySet());
  }

  boolean has(String key) {
    return values.containsKey(key);
  }

  Optional<String> text(String key) {
    Value value = values.get(key);
    if (value == null) {
      return Optional.empty();
    }
    check(value.type == ValueType.STRING, key, value, "a string");
    return Optional.of(in.at(value.position).string(MAX_TEXT_BYTES, what(key)));
  }

  OptionalLong integer(String key) {
    Value value = values.get(key);
    if (value == null) {
      return OptionalLong.empty();
    }
    return OptionalLong.of(integer(in.at(value.position), value.type, key));
  }

  /** A number that the model cannot be built without. */
  int required(String key) {
    long value = integer(key).orElseThrow(() -> corrupt(key, "is missing"));
    if (value < 1 || value > Integer.MAX_VALUE) {
      throw corrupt(key, "is " + value + ", which no model has");
    }
    return (int) value;
  }

  OptionalDouble number(String key) {
    Value value = values.get(key);
    if (value == null) {
      return OptionalDouble.empty();
    }
    HeaderCursor at = in.at(value.position);
    return OptionalDouble.of(
        switch (value.type) {
          // The shortest decimal that is this float32: what a person wrote.
          case FLOAT32 -> Double.parseDouble(Float.toString(Float.intBitsToFloat(at.int32(key))));
          case FLOAT64 -> Double.longBitsToDouble(at.int64(key));
          default -> integer(at, value.type, key);
        });
  }

  Optional<Boolean> flag(String key) {
    Value value = values.get(key);
    if (value == null) {
      return Optional.empty();
    }
    check(value.type == ValueType.BOOL, key, value, "true or false");
    return Optional.of(in.at(value.position).int8(key) != 0);
  }

  /** Whether a value is 0 or false: a setting that is switched off. */
  boolean isZero(String key) {
    return switch (values.get(key).type) {
      case BOOL -> !flag(key).orElseThrow();
      case STRING, ARRAY -> false;
      default -> number(key).orElseThrow() == 0;
    };
  }

  /** Empty where the key is not there. */
  List<String> texts(String key) {
    List<String> texts = new ArrayList<>();
    forEachText(key, (text, index) -> texts.add(text));
    return texts;
  }

  /** Strings of an array one by one, with their index, without keeping them. */
  void forEachText(String key, ObjIntConsumer<String> consumer) {
    if (!has(key)) {
      return;
    }
    HeaderCursor at = array(key, ValueType.STRING);
    int count = length(at, key);
    int end = at.position() + MAX_ARRAY_TEXT_BYTES;
    String what = "an element of " + what(key);
    for (int i = 0; i < count; i++) {
      consumer.accept(at.string(MAX_TEXT_BYTES, what), i);
      if (at.position() > end) {
        throw corrupt(key, "has more than " + MAX_ARRAY_TEXT_BYTES + " bytes of text");
      }
    }
  }

  /** Empty where the key is not there. */
  int[] integers(String key) {
    if (!has(key)) {
      return new int[0];
    }
    Value value = values.get(key);
    check(value.type == ValueType.ARRAY, key, value, "an array");
    HeaderCursor at = in.at(value.position);
    ValueType type = ValueType.of(at.int32(key), at, what(key));
    int[] integers = new int[length(at, key)];
    for (int i = 0; i < integers.length; i++) {
      long element = integer(at, type, key);
      if (element != (int) element) {
        throw corrupt(key, "has " + element + " at index " + i);
      }
      integers[i] = (int) element;
    }
    return integers;
  }

  /** Empty where the key is not there. */
  float[] floats(String key) {
    if (!has(key)) {
      return new float[0];
    }
    HeaderCursor at = array(key, ValueType.FLOAT32);
    float[] floats = new float[length(at, key)];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = Float.intBitsToFloat(at.int32(key));
    }
    return floats;
  }

  /** Reads a value whatever its type, as its getter would. */
  void touch(String key) {
    Value value = values.get(key);
    switch (value.type) {
      case STRING -> text(key);
      case BOOL -> flag(key);
      case FLOAT32, FLOAT64 -> number(key);
      case ARRAY -> {
        switch (ValueType.of(in.at(value.position).int32(key), in, what(key))) {
          case STRING ->
              forEachText(
                  key,
                  (text, index) -> {
                    // Reading it is what checks it.
                  });
          case FLOAT32 -> floats(key);
          case UINT8, INT8, UINT16, INT16, UINT32, INT32, UINT64, INT64 -> integers(key);
          default -> {
            // Of other arrays nothing is ever read.
          }
        }
      }
      default -> integer(key);
    }
  }

  private HeaderCursor array(String key, ValueType element) {
    Value value = values.get(key);
    check(value.type == ValueType.ARRAY, key, value, "an array");
    HeaderCursor at = in.at(value.position);
    ValueType found = ValueType.of(at.int32(key), at, what(key));
    if (found != element) {
      throw corrupt(key, "is an array of " + found + " instead of " + element);
    }
    return at;
  }

  private int length(HeaderCursor at, String key) {
    return at.length(MAX_ARRAY, 1, what(key));
  }

  private long integer(HeaderCursor at, ValueType type, String key) {
    return switch (type) {
      case UINT8 -> Byte.toUnsignedLong(at.int8(key));
      case INT8 -> at.int8(key);
      case UINT16 -> Short.toUnsignedLong(at.int16(key));
      case INT16 -> at.int16(key);
      case UINT32 -> Integer.toUnsignedLong(at.int32(key));
      case INT32 -> at.int32(key);
      case INT64 -> at.int64(key);
      case UINT64 -> {
        long value = at.int64(key);
        if (value < 0) {
          throw corrupt(key, "is " + Long.toUnsignedString(value));
        }
        yield value;
      }
      default -> throw corrupt(key, "is " + type + " instead of an integer");
    };
  }

  private void check(boolean fits, String key, Value value, String wanted) {
    if (!fits) {
      throw corrupt(key, "is " + value.type + " instead of " + wanted);
    }
  }

  EngineException corrupt(String key, String what) {
    return in.corrupt(what(key) + " " + what);
  }

  EngineException unsupported(String key, String what) {
    return new EngineException(Reason.UNSUPPORTED, in.source() + ": " + what(key) + " " + what);
  }

  private static String what(String key) {
    return "metadata '" + key + "'";
  }
}
