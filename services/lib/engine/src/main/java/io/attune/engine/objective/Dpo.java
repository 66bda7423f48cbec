package io.attune.engine.objective;

import io.attune.engine.data.PreferencePair;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Direct preference optimisation: raise the chosen answer's likelihood over the rejected one's,
 * measured against where the policy started.
 *
 * <p>Rafailov et al., arXiv 2305.18290, equation 7. With pi and ref the log-probabilities of whole
 * answers under policy and reference, c chosen, r rejected:
 *
 * <pre>d = (pi_c - pi_r) - (ref_c - ref_r)
 * loss = mean over pairs of -log sigmoid(beta d)</pre>
 *
 * <p>Assumes that both answers of a pair follow the same prompt tokens.
 */
public final class Dpo implements Objective<PreferencePair> {

  /**
   * @param beta how strongly the policy is held to the reference
   * @param lossType {@code sigmoid}
   */
  public record Config(double beta, String lossType) {
    public static final Config DEFAULT = new Config(0.1, "sigmoid");

    public Config {
      if (!(beta > 0)) {
        throw new IllegalArgumentException("'beta' is " + beta + "; it must be positive");
      }
      if (!lossType.equals("sigmoid")) {
        throw new IllegalArgumentException(
            "'loss_type' is " + lossType + "; implemented for dpo is sigmoid");
      }
    }
  }

  private final Config config;

  public Dpo(Config config) {
    this.config = config;
  }

  @Override
  public Readout readout() {
    return Readout.LOG_PROBS;
  }

  @Override
  public boolean usesReference() {
    return true;
  }

  @Override
  public List<Sequence> sequences(PreferencePair pair) {
    return List.of(
        Sequence.of(pair.promptIds(), pair.chosenIds()),
        Sequence.of(pair.promptIds(), pair.rejectedIds()));
  }

  @Override
  public double weight(PreferencePair pair) {
    return 1;
  }

  @Override
  public Loss loss(
      List<PreferencePair> pairs,
      List<Reading> policy,
      @Nullable List<Reading> reference,
      double normaliser) {
    if (reference == null) {
      throw new IllegalArgumentException("dpo needs a reference policy");
    }
    double value = 0;
    double[][] gradient = new double[policy.size()][];
    Metrics metrics = new Metrics();
    for (int c = 0; c < policy.size(); c += 2) {
      int r = c + 1;
      double chosen = policy.get(c).sum() - reference.get(c).sum();
      double rejected = policy.get(r).sum() - reference.get(r).sum();
      double scaled = config.beta() * (chosen - rejected);
      value -= logSigmoid(scaled) / normaliser;
      double slope = -config.beta() * sigmoid(-scaled) / normaliser;
      gradient[c] = filled(policy.get(c), slope);
      gradient[r] = filled(policy.get(r), -slope);
      metrics
          .add("rewards/chosen", config.beta() * chosen)
          .add("rewards/rejected", config.beta() * rejected)
          .add("rewards/margins", scaled)
          .add("rewards/accuracies", scaled > 0 ? 1 : 0)
          .add("logps/chosen", policy.get(c).sum())
          .add("logps/rejected", policy.get(r).sum());
    }
    return new Loss(value, gradient, metrics);
  }

  /** Every token of an answer adds to its log-probability alike. */
  private static double[] filled(Reading reading, double slope) {
    double[] gradient = new double[reading.values().length];
    Arrays.fill(gradient, slope);
    return gradient;
  }

  /** log(1 / (1 + e^-x)), without overflow. */
  static double logSigmoid(double x) {
    return x > 0 ? -Math.log1p(Math.exp(-x)) : x - Math.log1p(Math.exp(x));
  }

  static double sigmoid(double x) {
    return Math.exp(logSigmoid(x));
  }
}
