package io.attune.engine.train;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;

/**
 * Settings by name, each read once by whoever knows it; {@link #finish} refuses those that nobody
 * knew.
 */
public final class Parameters {
  private final Map<String, String> values;
  private final Set<String> known = new HashSet<>();

  public Parameters(Map<String, String> values) {
    this.values = Map.copyOf(values);
  }

  public Optional<String> text(String key) {
    known.add(key);
    return Optional.ofNullable(values.get(key)).map(String::trim).filter(v -> !v.isEmpty());
  }

  public String text(String key, String absent) {
    return text(key).orElse(absent);
  }

  public int integer(String key, int absent) {
    return Math.toIntExact(whole(key, absent));
  }

  public long whole(String key, long absent) {
    return text(key)
        .map(
            value -> {
              try {
                return (long) Integer.parseInt(value);
              } catch (NumberFormatException e) {
                throw malformed(key, value, "an integer", e);
              }
            })
        .orElse(absent);
  }

  public double number(String key, double absent) {
    return text(key)
        .map(
            value -> {
              try {
                return Double.parseDouble(value);
              } catch (NumberFormatException e) {
                throw malformed(key, value, "a number", e);
              }
            })
        .orElse(absent);
  }

  public boolean flag(String key, boolean absent) {
    return text(key)
        .map(
            value ->
                switch (value) {
                  case "true", "True" -> true;
                  case "false", "False" -> false;
                  default -> throw malformed(key, value, "true or false", null);
                })
        .orElse(absent);
  }

  /** Names separated by commas, brackets and quotes of a JSON or YAML list allowed. */
  public List<String> list(String key, List<String> absent) {
    return text(key)
        .map(
            value ->
                List.of(value.replaceAll("[\\[\\]\"'\\s]", "").split(",")).stream()
                    .filter(name -> !name.isEmpty())
                    .toList())
        .orElse(absent);
  }

  /** Numbers separated by commas; see {@link #list}. */
  public List<Double> numbers(String key, List<Double> absent) {
    List<String> values = list(key, List.of());
    if (values.isEmpty()) {
      return absent;
    }
    return values.stream()
        .map(
            value -> {
              try {
                return Double.valueOf(value);
              } catch (NumberFormatException e) {
                throw malformed(key, value, "a number", e);
              }
            })
        .toList();
  }

  /** Refuses settings that were not asked for by anyone. */
  public void finish(String where) {
    Set<String> unknown = new TreeSet<>(values.keySet());
    unknown.removeAll(known);
    if (!unknown.isEmpty()) {
      throw new EngineException(
          Reason.INVALID_ARGUMENT,
          "unknown parameter '"
              + String.join("', '", unknown)
              + "' for "
              + where
              + "; did you mean '"
              + nearest(unknown.iterator().next())
              + "'? Known are "
              + String.join(", ", new TreeSet<>(known)));
    }
  }

  /** The known name that the fewest edits (Levenshtein) turn the given one into. */
  private String nearest(String name) {
    return new TreeSet<>(known)
        .stream().min(Comparator.comparingInt(other -> distance(name, other))).orElse("");
  }

  private static int distance(String a, String b) {
    int[] row = IntStream.rangeClosed(0, b.length()).toArray();
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int substituted = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(substituted, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[b.length()];
  }

  private static EngineException malformed(String key, String value, String what, Exception cause) {
    return new EngineException(
        Reason.INVALID_ARGUMENT, "parameter '" + key + "' is '" + value + "', not " + what, cause);
  }
}
