package io.attune.engine.objective;

import io.attune.engine.data.PreferencePair;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Simple preference optimisation: raise the chosen answer's likelihood per token over the rejected
 * one's by a margin, without a reference.
 *
 * <p>Meng et al., arXiv 2405.14734, equation 6. With c and r the means over tokens of the chosen
 * and the rejected answer's log-probabilities under the policy, and x = beta (c - r) - gamma:
 *
 * <pre>loss = mean over pairs of -(1 - e) log sigmoid(x) - e log sigmoid(-x) + a nll
 * nll = - mean over all tokens of the micro-batch's chosen answers of log p</pre>
 *
 * <p>trl has it as {@code CPOTrainer} with {@code loss_type="simpo"} and the same names; there beta
 * is 0.1 and {@code cpo_alpha} 1 unless set, which is not the paper's loss.
 */
public final class SimPo implements PairObjective {

  /**
   * @param beta how much a nat per token is worth
   * @param gamma by how much the chosen answer is to be worth more
   * @param labelSmoothing e: how often choices are believed to be the wrong way round
   * @param cpoAlpha a: how much the chosen answers' likelihood counts besides (CPO-SimPO); 0 is the
   *     paper's loss
   */
  public record Config(double beta, double gamma, double labelSmoothing, double cpoAlpha) {
    public static final Config DEFAULT = new Config(2, 0.5, 0, 0);

    public Config {
      Requirement.beta(beta);
      Requirement.notNegative("simpo_gamma", gamma);
      Requirement.smoothing(labelSmoothing, 0, 1);
      Requirement.notNegative("cpo_alpha", cpoAlpha);
    }
  }

  private final Config config;

  public SimPo(Config config) {
    this.config = config;
  }

  @Override
  public boolean usesReference() {
    return false;
  }

  @Override
  public Loss loss(
      List<PreferencePair> pairs,
      List<Reading> policy,
      @Nullable List<Reading> reference,
      double normaliser) {
    double tokens = 0;
    double logProb = 0;
    for (int c = 0; c < policy.size(); c += 2) {
      tokens += policy.get(c).values().length;
      logProb += policy.get(c).sum();
    }
    double share = pairs.size() / normaliser;
    double value = config.cpoAlpha() * share * -logProb / tokens;
    double likelihoodSlope = -config.cpoAlpha() * share / tokens;
    PairLoss loss = new PairLoss.Conservative(config.beta(), config.labelSmoothing());
    double[][] gradient = new double[policy.size()][];
    Metrics metrics = new Metrics().add("nll_loss", -logProb / tokens * pairs.size(), pairs.size());
    for (int c = 0; c < policy.size(); c += 2) {
      Reading chosen = policy.get(c);
      Reading rejected = policy.get(c + 1);
      double margin = chosen.mean() - rejected.mean() - config.gamma() / config.beta();
      DpoLoss.Term term = loss.of(LogRatios.ofMargin(margin));
      value += term.value() / normaliser;
      gradient[c] = chosen.gradient(term.chosen() / chosen.length() / normaliser + likelihoodSlope);
      gradient[c + 1] = rejected.gradient(term.rejected() / rejected.length() / normaliser);
      PairMetrics.add(
          metrics,
          config.beta() * chosen.mean(),
          config.beta() * rejected.mean(),
          chosen.mean(),
          rejected.mean());
    }
    return new Loss(value, gradient, metrics);
  }
}
