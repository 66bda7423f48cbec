package io.attune.engine.online;

import io.attune.engine.objective.Reading;
import io.attune.engine.rollout.Experience;
import io.attune.engine.rollout.PolicyGradient;
import io.attune.engine.train.Policy;
import io.attune.engine.train.Reader;
import java.util.List;

/**
 * How far a policy is from another one, on completions that it wrote itself: the log-ratio of a
 * completion, whose mean is the divergence of Kullback and Leibler in nats a completion.
 */
public final class Divergence {
  private final Reader<Experience> policy;
  private final Reader<Experience> reference;
  private final int batch;

  /**
   * @param reference its reference is compared with: {@code policy} itself where that knows one
   * @param temperature at which the completions were drawn
   * @param batch completions read at once
   */
  public Divergence(Policy policy, Policy reference, double temperature, int batch) {
    Surrogate reading = new Surrogate(PolicyGradient.Config.GRPO, temperature, true);
    this.policy = new Reader<>(policy, reading);
    this.reference = new Reader<>(reference, reading);
    this.batch = batch;
  }

  /** For each completion the sum over its tokens of log policy - log reference. */
  public double[] of(List<Rollout> rollouts) {
    double[] result = new double[rollouts.size()];
    for (int from = 0; from < result.length; from += batch) {
      List<Experience> part =
          rollouts.subList(from, Math.min(result.length, from + batch)).stream()
              .map(Rollout::unlearnt)
              .toList();
      List<Reading> own = policy.read(part, false);
      List<Reading> other = reference.read(part, true);
      for (int i = 0; i < part.size(); i++) {
        result[from + i] = own.get(i).sum() - other.get(i).sum();
      }
    }
    return result;
  }
}
