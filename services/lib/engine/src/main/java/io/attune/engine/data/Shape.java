package io.attune.engine.data;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.StringJoiner;

/** The keys that rows of one shape have. */
record Shape(List<String> required, List<String> optional) {

  /** Every shape that is read. */
  static final List<Shape> ALL =
      List.of(
          of("text"),
          of("text", "label"),
          of("text", "score"),
          of("text", "text_pair", "label"),
          of("tokens", "labels"),
          of("prompt"),
          of("prompt", "completion"),
          of("prompt", "completion", "label"),
          of("prompt", "completion", "score"),
          of("instruction", "output").with("input", "system", "history"),
          of("messages").with("system", "tools"),
          of("messages", "label").with("system"),
          of("messages", "chosen", "rejected").with("system", "margin"),
          of("conversations").with("system", "tools"),
          of("conversations", "label").with("system"),
          of("conversations", "chosen", "rejected").with("system", "margin"),
          of("prompt", "chosen", "rejected").with("margin"),
          of("chosen", "rejected").with("margin"));

  /** How much a row counts: a key that every shape may have besides. */
  static final String WEIGHT = "weight";

  private static Shape of(String... required) {
    return new Shape(List.of(required), List.of());
  }

  private Shape with(String... more) {
    return new Shape(required, List.of(more));
  }

  boolean knows(String key) {
    return required.contains(key) || optional.contains(key) || key.equals(WEIGHT);
  }

  boolean fits(Set<String> keys) {
    Set<String> rest = new HashSet<>(keys);
    rest.removeAll(optional);
    rest.remove(WEIGHT);
    return rest.equals(new HashSet<>(required));
  }

  /** As <code>{instruction, output, [input]}</code>. */
  @Override
  public String toString() {
    StringJoiner keys = new StringJoiner(", ", "{", "}");
    required.forEach(keys::add);
    optional.forEach(key -> keys.add("[" + key + "]"));
    return keys.toString();
  }
}
