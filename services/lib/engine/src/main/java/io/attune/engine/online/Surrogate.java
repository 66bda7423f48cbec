package io.attune.engine.online;

import io.attune.engine.objective.Loss;
import io.attune.engine.objective.Objective;
import io.attune.engine.objective.Reading;
import io.attune.engine.objective.Sequence;
import io.attune.engine.rollout.Experience;
import io.attune.engine.rollout.PolicyGradient;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@link PolicyGradient} over completions that were drawn at a temperature, which tells the
 * policy's entropy besides.
 *
 * <p>Single-threaded.
 */
final class Surrogate implements Objective<Experience> {
  static final String ENTROPY = "policy/entropy_avg";

  private final PolicyGradient plain;
  private final double temperature;
  private final boolean onPolicy;
  private PolicyGradient loss;

  /**
   * @param onPolicy whether the policy that is read is always the one that wrote: then its
   *     log-probabilities are the old ones, whatever the experiences say
   */
  Surrogate(PolicyGradient.Config config, double temperature, boolean onPolicy) {
    this.plain = new PolicyGradient(config);
    this.loss = plain;
    this.temperature = temperature;
    this.onPolicy = onPolicy;
  }

  /** The steps that follow see parts of these. */
  void over(List<Experience> experiences) {
    loss = plain.over(experiences);
  }

  @Override
  public Readout readout() {
    return loss.readout();
  }

  @Override
  public boolean usesReference() {
    return loss.usesReference();
  }

  @Override
  public double temperature() {
    return temperature;
  }

  @Override
  public boolean readsEntropies() {
    return true;
  }

  @Override
  public List<Sequence> sequences(Experience example) {
    return loss.sequences(example);
  }

  @Override
  public double weight(Experience example) {
    return loss.weight(example);
  }

  @Override
  public Loss loss(
      List<Experience> examples,
      List<Reading> policy,
      @Nullable List<Reading> reference,
      double normaliser) {
    List<Experience> seen = onPolicy ? withOld(examples, policy) : examples;
    Loss result = loss.loss(seen, policy, reference, normaliser);
    for (Reading reading : policy) {
      double[] entropies = reading.entropies();
      result.metrics().add(ENTROPY, Arrays.stream(entropies).sum(), entropies.length);
    }
    return result;
  }

  private static List<Experience> withOld(List<Experience> examples, List<Reading> policy) {
    List<Experience> result = new ArrayList<>();
    for (int i = 0; i < examples.size(); i++) {
      Experience example = examples.get(i);
      result.add(
          new Experience(
              example.promptIds(),
              example.completionIds(),
              policy.get(i).values(),
              example.advantages(),
              example.referenceLogProbs(),
              example.returns(),
              example.oldValues(),
              example.importanceWeights()));
    }
    return result;
  }
}
