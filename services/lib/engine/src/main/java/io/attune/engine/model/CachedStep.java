package io.attune.engine.model;

import io.attune.engine.nn.CachedAttention;
import io.attune.engine.nn.MethodWriter;
import io.attune.engine.nn.Seams;
import java.util.ArrayList;
import java.util.List;

/**
 * Program text of a step of generation, from the new tokens' ids to the hidden state after the last
 * of each row: what a decoder alone and one with an encoder have in common.
 */
final class CachedStep {
  private final StringBuilder text;
  private final MethodWriter out = new MethodWriter();
  private final List<String> weights = new ArrayList<>();

  /**
   * Emits {@code h} [n, E] from what {@link CacheRows#PARAMETERS} name.
   *
   * @param attention that {@code seams} has, wrapped or not
   * @param text where the methods go that the step calls
   */
  CachedStep(Stack stack, Seams seams, CachedAttention attention, StringBuilder text) {
    this.text = text;
    String embed = range(Network.emitEmbed(stack, seams, text));
    List<Network.Emitted> layers = Network.emitLayers(stack, seams, text);
    attention.emitLayout(out, stack.heads().groups(), "kc[0]");
    List<String> results = new ArrayList<>(List.of("h"));
    results.addAll(stack.state());
    out.line(
        "%s = self.embed(position, %s, %s)", String.join(", ", results), seams.arguments(0), embed);
    for (int i = 0; i < layers.size(); i++) {
      Network.Emitted layer = layers.get(i);
      out.line(
          "h = self.%s(%s, %s, %s)",
          layer.method(), String.join(", ", results), seams.arguments(i), range(layer.weights()));
    }
    out.line("if t > 1:");
    out.line("  h = torch.index_select(h, 0, last)");
    List<String> finish = Network.emitFinish(stack, seams, text);
    out.line("h = self.finish(h%s)", finish.isEmpty() ? "" : ", " + range(finish));
  }

  private String range(List<String> part) {
    int from = weights.size();
    weights.addAll(part);
    return "w[" + from + ":" + weights.size() + "]";
  }

  MethodWriter out() {
    return out;
  }

  /** The expression for one more weight. */
  String weight(String name) {
    weights.add(name);
    return "w[" + (weights.size() - 1) + "]";
  }

  /**
   * Ends the method, which is called {@code decode}.
   *
   * @param more parameters between those of the rows and the weights, each ending in ", "
   * @return names of the weights that it takes as {@code w}
   */
  List<String> end(String more, String result) {
    out.line("return " + result);
    String parameters = CacheRows.PARAMETERS + ", " + more + "w: List[Tensor]";
    text.append(out.method("decode", "(self: SELF, " + parameters + ") -> Tensor"));
    return List.copyOf(weights);
  }
}
