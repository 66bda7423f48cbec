package io.attune.engine.objective;

import io.attune.engine.data.PreferencePair;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Direct preference optimisation: raise the chosen answer's likelihood over the rejected one's,
 * measured against where the policy started.
 *
 * <p>Rafailov et al., arXiv 2305.18290, equation 7, and its descendants: a {@link DpoLoss} of the
 * log-probabilities of whole answers under policy and reference. The loss is the mean over pairs.
 */
public final class Dpo implements PairObjective {

  /**
   * @param beta the unit of rewards; that of the loss
   * @param loss what the log-probabilities cost
   * @param referenceFree whether the reference is taken to find all answers alike, so that none is
   *     needed
   */
  public record Config(double beta, DpoLoss loss, boolean referenceFree) {
    public static final Config DEFAULT = new Config(0.1, new PairLoss.Sigmoid(0.1), false);

    public Config {
      Requirement.beta(beta);
    }
  }

  private final Config config;

  public Dpo(Config config) {
    this.config = config;
  }

  @Override
  public boolean usesReference() {
    return !config.referenceFree();
  }

  @Override
  public boolean takesWeights() {
    return config.loss().seesPairsAlone();
  }

  @Override
  public Loss loss(
      List<PreferencePair> pairs,
      List<Reading> policy,
      @Nullable List<Reading> reference,
      double normaliser) {
    if (reference == null && usesReference()) {
      throw new IllegalArgumentException("dpo needs a reference policy");
    }
    List<PairLogProbs> logProbs = new ArrayList<>();
    Metrics metrics = new Metrics();
    for (int c = 0; c < policy.size(); c += 2) {
      PairLogProbs pair =
          new PairLogProbs(
              policy.get(c).sum(),
              policy.get(c + 1).sum(),
              config.referenceFree() ? 0 : reference.get(c).sum(),
              config.referenceFree() ? 0 : reference.get(c + 1).sum(),
              Math.max(1, policy.get(c).values().length),
              Math.max(1, policy.get(c + 1).values().length));
      logProbs.add(pair);
      PairMetrics.add(
          metrics,
          config.beta() * pair.chosenRatio(),
          config.beta() * pair.rejectedRatio(),
          pair.policyChosen(),
          pair.policyRejected());
    }
    double value = 0;
    double[][] gradient = new double[policy.size()][];
    List<DpoLoss.Term> terms = config.loss().of(logProbs);
    for (int i = 0; i < terms.size(); i++) {
      DpoLoss.Term term = terms.get(i);
      value += term.value() / normaliser;
      gradient[2 * i] = policy.get(2 * i).gradient(term.chosen() / normaliser);
      gradient[2 * i + 1] = policy.get(2 * i + 1).gradient(term.rejected() / normaliser);
    }
    return new Loss(value, gradient, metrics);
  }
}
