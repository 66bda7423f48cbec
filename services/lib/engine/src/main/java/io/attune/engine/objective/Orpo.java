package io.attune.engine.objective;

import io.attune.engine.data.PreferencePair;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Odds ratio preference optimisation: learn the chosen answer as in supervised fine-tuning, and
 * raise its odds over the rejected one's, without a reference.
 *
 * <p>Hong et al., arXiv 2403.07691, equations 4 to 7. With c and r the means over tokens of the
 * chosen and the rejected answer's log-probabilities under the policy:
 *
 * <pre>log odds(p) = log p - log(1 - p)
 * loss = nll - beta mean over pairs of log sigmoid(log odds(e^c) - log odds(e^r))
 * nll = - mean over all tokens of the micro-batch's prompts with chosen answers of log p</pre>
 *
 * <p>As in trl, the likelihood is that of the prompt too, and its mean is over the tokens of a
 * micro-batch, so that accumulation weighs tokens of short micro-batches more.
 */
public final class Orpo implements PairObjective {
  /** A mean log-probability nearer to 0 than this has no odds that a double could hold. */
  private static final double NEAREST = -1e-12;

  /**
   * @param beta how much the odds count beside the likelihood; the paper's lambda
   */
  public record Config(double beta) {
    public static final Config DEFAULT = new Config(0.1);

    public Config {
      Requirement.beta(beta);
    }
  }

  private final Config config;

  public Orpo(Config config) {
    this.config = config;
  }

  @Override
  public boolean usesReference() {
    return false;
  }

  @Override
  public List<Sequence> sequences(PreferencePair pair) {
    return List.of(
        Sequence.of(new int[0], concatenated(pair.promptIds(), pair.chosenIds())),
        Sequence.of(pair.promptIds(), pair.rejectedIds()));
  }

  private static int[] concatenated(int[] first, int[] second) {
    int[] all = Arrays.copyOf(first, first.length + second.length);
    System.arraycopy(second, 0, all, first.length, second.length);
    return all;
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
    double value = share * -logProb / tokens;
    double[][] gradient = new double[policy.size()][];
    Metrics metrics = new Metrics().add("nll_loss", -logProb / tokens * pairs.size(), pairs.size());
    for (int i = 0; i < pairs.size(); i++) {
      Reading whole = policy.get(2 * i);
      Reading chosen = whole.last(pairs.get(i).chosenIds().length);
      Reading rejected = policy.get(2 * i + 1);
      double logOdds = logOdds(chosen.mean()) - logOdds(rejected.mean());
      double ratio = Logistic.logSigmoid(logOdds);
      double slope = -config.beta() * Logistic.sigmoid(-logOdds) / normaliser;
      value -= config.beta() * ratio / normaliser;
      gradient[2 * i] = whole.gradient(-share / tokens);
      double each = slope * logOddsSlope(chosen.mean()) / chosen.length();
      for (int t = whole.length() - chosen.length(); t < whole.length(); t++) {
        gradient[2 * i][t] += each;
      }
      gradient[2 * i + 1] =
          rejected.gradient(-slope * logOddsSlope(rejected.mean()) / rejected.length());
      PairMetrics.add(
          metrics,
          config.beta() * chosen.mean(),
          config.beta() * rejected.mean(),
          chosen.mean(),
          rejected.mean());
      metrics.add("log_odds_ratio", ratio).add("log_odds_chosen", logOdds);
    }
    return new Loss(value, gradient, metrics);
  }

  private static double logOdds(double logProb) {
    double below = Math.min(logProb, NEAREST);
    return below - Math.log(-Math.expm1(below));
  }

  private static double logOddsSlope(double logProb) {
    return logProb > NEAREST ? 0 : -1 / Math.expm1(logProb);
  }
}
