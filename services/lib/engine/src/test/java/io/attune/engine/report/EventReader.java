package io.attune.engine.report;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Reads event files as TensorBoard does, written from the formats: TFRecord (TensorFlow's {@code
 * record_writer.h}), protobuf's wire format, {@code event.proto} and {@code summary.proto}. Shares
 * no code with the writer; the checksum is computed bit by bit.
 */
public final class EventReader {
  private static final int POLYNOMIAL = 0x82F63B78; // Castagnoli's, reflected

  private EventReader() {}

  record Event(double wallTime, long step, String fileVersion, int session, List<Value> values) {}

  record Value(String tag, Float number, String text, String plugin) {}

  /** Curves by tag after the rule of a restart: it voids its own step and those after it. */
  public static SortedMap<String, SortedMap<Long, Float>> curves(Path folder) throws IOException {
    SortedMap<String, SortedMap<Long, Float>> curves = new TreeMap<>();
    for (Path file : files(folder)) {
      for (Event event : events(file)) {
        if (event.session() == 1) {
          curves.values().forEach(curve -> curve.tailMap(event.step()).clear());
        }
        for (Value value : event.values()) {
          if (value.number() != null) {
            Float before =
                curves
                    .computeIfAbsent(value.tag(), tag -> new TreeMap<>())
                    .put(event.step(), value.number());
            if (before != null) {
              throw new AssertionError(value.tag() + " has step " + event.step() + " twice");
            }
          }
        }
      }
    }
    return curves;
  }

  public static List<Path> files(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(f -> f.getFileName().toString().contains("tfevents")).sorted().toList();
    }
  }

  /** Whole records; what is cut short at the end is left out. */
  static List<Event> events(Path file) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    List<Event> events = new ArrayList<>();
    for (int at = 0; at + 12 <= bytes.length; ) {
      int length = (int) little(bytes, at, 8);
      check(bytes, at, 8, at + 8);
      if (at + 16 + length > bytes.length) {
        break;
      }
      check(bytes, at + 12, length, at + 12 + length);
      events.add(event(fields(bytes, at + 12, length)));
      at += 16 + length;
    }
    return events;
  }

  private static void check(byte[] bytes, int from, int length, int at) {
    int crc = ~0;
    for (int i = from; i < from + length; i++) {
      crc ^= bytes[i] & 0xFF;
      for (int bit = 0; bit < 8; bit++) {
        crc = (crc & 1) == 0 ? crc >>> 1 : crc >>> 1 ^ POLYNOMIAL;
      }
    }
    crc = ~crc;
    int masked = (crc >>> 15 | crc << 17) + 0xa282ead8;
    if (masked != (int) little(bytes, at, 4)) {
      throw new AssertionError("checksum of the record at " + from);
    }
  }

  private static Event event(Map<Integer, List<Object>> fields) {
    List<Value> values = new ArrayList<>();
    if (fields.containsKey(5)) {
      for (Object value : message(fields.get(5).get(0)).getOrDefault(1, List.of())) {
        values.add(value(message(value)));
      }
    }
    return new Event(
        Double.longBitsToDouble((long) fields.get(1).get(0)),
        (long) fields.getOrDefault(2, List.of(0L)).get(0),
        fields.containsKey(3) ? text(fields.get(3).get(0)) : null,
        fields.containsKey(7) ? (int) (long) message(fields.get(7).get(0)).get(1).get(0) : 0,
        values);
  }

  private static Value value(Map<Integer, List<Object>> fields) {
    String text = null;
    String plugin = null;
    if (fields.containsKey(8)) {
      text = text(message(fields.get(8).get(0)).get(8).get(0));
      plugin = text(message(message(fields.get(9).get(0)).get(1).get(0)).get(1).get(0));
    }
    Float number =
        fields.containsKey(2) ? Float.intBitsToFloat((int) (long) fields.get(2).get(0)) : null;
    return new Value(text(fields.get(1).get(0)), number, text, plugin);
  }

  private static Map<Integer, List<Object>> message(Object bytes) {
    return fields((byte[]) bytes, 0, ((byte[]) bytes).length);
  }

  /** Numbers as longs, the rest as bytes, by field. */
  private static Map<Integer, List<Object>> fields(byte[] bytes, int from, int length) {
    Map<Integer, List<Object>> fields = new LinkedHashMap<>();
    int[] at = {from};
    while (at[0] < from + length) {
      long tag = varint(bytes, at);
      Object value;
      switch ((int) (tag & 7)) {
        case 0 -> value = varint(bytes, at);
        case 1 -> {
          value = little(bytes, at[0], 8);
          at[0] += 8;
        }
        case 5 -> {
          value = little(bytes, at[0], 4);
          at[0] += 4;
        }
        case 2 -> {
          int size = (int) varint(bytes, at);
          value = Arrays.copyOfRange(bytes, at[0], at[0] + size);
          at[0] += size;
        }
        default -> throw new AssertionError("wire type of tag " + tag);
      }
      fields.computeIfAbsent((int) (tag >>> 3), field -> new ArrayList<>()).add(value);
    }
    return fields;
  }

  private static long varint(byte[] bytes, int[] at) {
    long value = 0;
    for (int shift = 0; ; shift += 7) {
      byte next = bytes[at[0]++];
      value |= (long) (next & 0x7F) << shift;
      if (next >= 0) {
        return value;
      }
    }
  }

  private static long little(byte[] bytes, int at, int size) {
    long value = 0;
    for (int i = size - 1; i >= 0; i--) {
      value = value << 8 | bytes[at + i] & 0xFF;
    }
    return value;
  }

  private static String text(Object bytes) {
    return new String((byte[]) bytes, StandardCharsets.UTF_8);
  }
}
