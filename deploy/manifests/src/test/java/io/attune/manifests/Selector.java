package io.attune.manifests;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import java.util.stream.StreamSupport;

/** Label selectors, as the API server reads them. */
public final class Selector {
  private Selector() {}

  /** Whether a selector selects labels; an empty one selects all, one that is missing none. */
  public static boolean matches(JsonNode selector, Map<String, String> labels) {
    if (selector.isMissingNode()) {
      return false;
    }
    return Workload.text(selector.path("matchLabels")).entrySet().stream()
            .allMatch(entry -> entry.getValue().equals(labels.get(entry.getKey())))
        && StreamSupport.stream(selector.path("matchExpressions").spliterator(), false)
            .allMatch(expression -> holds(expression, labels));
  }

  /** The labels that a plain selector, as a Service has it, asks for. */
  public static Map<String, String> labels(JsonNode selector) {
    return Workload.text(selector);
  }

  private static boolean holds(JsonNode expression, Map<String, String> labels) {
    String value = labels.get(expression.path("key").asText());
    boolean listed =
        StreamSupport.stream(expression.path("values").spliterator(), false)
            .anyMatch(one -> one.asText().equals(value));
    String operator = expression.path("operator").asText();
    return switch (operator) {
      case "In" -> listed;
      case "NotIn" -> !listed;
      case "Exists" -> value != null;
      case "DoesNotExist" -> value == null;
      default -> throw new AssertionError("no operator of selectors: " + operator);
    };
  }
}
