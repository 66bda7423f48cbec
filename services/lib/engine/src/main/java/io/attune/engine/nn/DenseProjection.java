package io.attune.engine.nn;

import java.util.ArrayList;
import java.util.List;

/** Plain weights, one product a layer. */
public final class DenseProjection implements Projection {
  @Override
  public List<String> emit(MethodWriter out, String input, List<Linear> layers) {
    List<String> results = new ArrayList<>();
    for (Linear layer : layers) {
      String weight = out.weight(layer.weight());
      String bias = layer.bias() ? out.weight(layer.biasName()) : "None";
      if (!layer.transposed()) {
        results.add(out.value("torch.linear(%s, %s, %s)", input, weight, bias));
      } else if (layer.bias()) {
        results.add(out.value("torch.addmm(%s, %s, %s)", bias, input, weight));
      } else {
        results.add(out.value("torch.mm(%s, %s)", input, weight));
      }
    }
    return results;
  }

  @Override
  public String embedding(MethodWriter out, String ids, Embedding table) {
    String rows = out.value("torch.embedding(%s, %s)", out.weight(table.weight()), ids);
    return table.scale() == 1
        ? rows
        : out.value("torch.mul(%s, %s)", rows, MethodWriter.number(table.scale()));
  }
}
