package io.attune.engine.onnx;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Which inputs of a graph reach a value with their content: what only their sizes decide does not
 * count. Computed once, in one pass.
 */
final class Influence {
  /** Comparisons of positions with each other, which hide later tokens. */
  private static final Set<String> CAUSAL = Set.of("Trilu", "Less", "LessOrEqual", "Greater");

  private static final int MASK = 1;
  private static final int OTHER = 2;
  private static final int ORDER = 4;

  private final Map<String, Integer> reached = new HashMap<>();

  Influence(OnnxGraph graph) {
    for (OnnxNode node : graph.nodes()) {
      int reaching = CAUSAL.contains(node.operator()) ? ORDER : 0;
      for (String input : node.is("Shape") ? Set.<String>of() : new HashSet<>(node.inputs())) {
        if (graph.isInput(input)) {
          reaching |= input.equals("attention_mask") ? MASK : OTHER;
        } else {
          reaching |= reached.getOrDefault(input, 0);
        }
      }
      for (String output : node.outputs()) {
        reached.put(output, reaching);
      }
    }
  }

  /** Whether a value comes from the attention mask alone, and no order of tokens comes into it. */
  boolean isPaddingMask(String value) {
    return reached.getOrDefault(value, 0) == MASK;
  }
}
