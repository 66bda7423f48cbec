package io.attune.engine.nn;

import java.util.ArrayList;
import java.util.List;

/**
 * Weights held in bfloat16 under an adapter that is trained.
 *
 * <p>Where the processor multiplies bfloat16, everything between the embedding and the head is
 * bfloat16. Where it does not, what flows through the layers is float32 and each weight is widened
 * for its product, which is many times faster than to emulate products of bfloat16, and more exact.
 */
public final class Bfloat16Projection implements Projection {
  private final Projection dense = new DenseProjection();
  private final boolean widened;

  /**
   * @param widened whether layers compute in float32
   */
  public Bfloat16Projection(boolean widened) {
    this.widened = widened;
  }

  @Override
  public List<String> emit(MethodWriter out, String input, List<Linear> layers) {
    List<String> results = new ArrayList<>();
    for (Linear layer : layers) {
      String weight = asInput(out.weight(layer.weight()), input);
      String bias = layer.bias() ? asInput(out.weight(layer.biasName()), input) : "None";
      String rows = layer.transposed() ? "torch.t(" + weight + ")" : weight;
      results.add(out.value("torch.linear(%s, %s, %s)", input, rows, bias));
    }
    return results;
  }

  private static String asInput(String weight, String input) {
    return "torch.type_as(" + weight + ", " + input + ")";
  }

  @Override
  public String embedding(MethodWriter out, String ids, Embedding table) {
    if (!widened) {
      return dense.embedding(out, ids, table);
    }
    String rows =
        out.value("torch.to(torch.embedding(%s, %s), 6)", out.weight(table.weight()), ids);
    return table.scale() == 1
        ? rows
        : out.value("torch.mul(%s, %s)", rows, MethodWriter.number(table.scale()));
  }
}
