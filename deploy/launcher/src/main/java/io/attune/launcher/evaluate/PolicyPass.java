package io.attune.launcher.evaluate;

import io.attune.engine.PolicyEvaluation.Written;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;

/** What a policy's completions are worth: rows are prompts. */
final class PolicyPass {
  private final int samples;
  private final String signature;

  /**
   * @param samples completions of each prompt, side by side
   * @param signature how they were drawn
   */
  PolicyPass(int samples, String signature) {
    this.samples = samples;
    this.signature = signature;
  }

  List<Measurement> measure(List<Written> written) {
    return List.of(
        measurement("reward", written, Written::reward),
        measurement("kl", written, Written::kl),
        measurement("completion_tokens", written, Written::tokens),
        measurement("ended", written, each -> each.ended() ? 1 : 0));
  }

  private Measurement measurement(
      String name, List<Written> written, ToDoubleFunction<Written> number) {
    List<Double> means = new ArrayList<>();
    for (int from = 0; from < written.size(); from += samples) {
      means.add(
          written.subList(from, from + samples).stream()
              .mapToDouble(number)
              .average()
              .orElseThrow());
    }
    double[] rows = means.stream().mapToDouble(mean -> mean).toArray();
    return new Measurement(new Mean(name), Mean.statistics(rows), signature, "prompts");
  }
}
