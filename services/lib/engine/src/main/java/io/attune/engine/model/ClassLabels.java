package io.attune.engine.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What a classifier's logits stand for.
 *
 * @param names of the labels, in the order of the logits
 */
public record ClassLabels(List<String> names, ProblemType problemType) {
  /** Reads {@code id2label}, {@code num_labels} and {@code problem_type}. */
  static ClassLabels read(ConfigReader in) {
    in.ignore("label2id", "_num_labels");
    int count = in.size("num_labels", 2);
    Map<String, String> byId = in.has("id2label") ? in.texts("id2label") : Map.of();
    List<String> names = byId.isEmpty() ? unnamed(count).names() : new ArrayList<>();
    for (int i = 0; i < byId.size(); i++) {
      String name = byId.get(Integer.toString(i));
      if (name == null) {
        throw in.malformed("id2label", "has " + byId.size() + " labels, but none for " + i);
      }
      names.add(name);
    }
    String type = in.text("problem_type", "");
    if (type.isEmpty()) {
      return new ClassLabels(List.copyOf(names), usual(names.size()));
    }
    ProblemType known =
        ProblemType.named(type)
            .orElseThrow(
                () -> in.unsupported("problem_type", type, "implemented are " + ProblemType.all()));
    return new ClassLabels(List.copyOf(names), known);
  }

  /**
   * Reads the three keys of any file that has them.
   *
   * @param where its path, for messages
   */
  public static ClassLabels of(JsonNode json, String where) {
    return read(new ConfigReader(json, where));
  }

  /** Writes {@code id2label}, {@code label2id} and {@code problem_type} into a config. */
  public void write(ObjectNode config) {
    config.remove(List.of("num_labels", "_num_labels"));
    ObjectNode byId = config.putObject("id2label");
    ObjectNode byName = config.putObject("label2id");
    for (int i = 0; i < names.size(); i++) {
      byId.put(Integer.toString(i), names.get(i));
      byName.put(names.get(i), i);
    }
    config.put("problem_type", problemType.toString());
  }

  /** Labels without names: {@code LABEL_0} and so on. */
  public static ClassLabels unnamed(int count) {
    List<String> names = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      names.add("LABEL_" + i);
    }
    return new ClassLabels(List.copyOf(names), usual(count));
  }

  /** A single logit is a value where nothing else is said. */
  private static ProblemType usual(int count) {
    return count == 1 ? ProblemType.REGRESSION : ProblemType.SINGLE_LABEL_CLASSIFICATION;
  }

  public int count() {
    return names.size();
  }
}
