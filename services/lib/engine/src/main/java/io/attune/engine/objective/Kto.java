package io.attune.engine.objective;

import io.attune.engine.data.KtoExample;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Kahneman-Tversky optimisation: raise the likelihood of answers that people liked and lower that
 * of answers that they did not, each by itself, measured against how far the policy has moved on
 * the whole.
 *
 * <p>Ethayarajh et al., arXiv 2402.01306, equations 6 to 8. With d an answer's log-probability
 * under the policy less that under the reference, and d' the same of an answer to another prompt:
 *
 * <pre>z = max(0, mean over the micro-batch of d')   (not differentiated)
 * loss = mean over answers of w+ sigmoid(-beta (d - z)) where desirable
 *                             w- sigmoid(-beta (z - d)) where not
 * apo_zero_unpaired: z = 0    (D'Oosterlinck et al., arXiv 2408.06266, equation 7)</pre>
 *
 * <p>The other answers are read along with the own one, whose prompt they share and which is then
 * computed once; their gradient is zero.
 */
public final class Kto implements Objective<KtoExample> {

  /** How answers are judged against the whole. */
  public enum LossType {
    KTO,
    APO_ZERO_UNPAIRED
  }

  /**
   * @param beta how strongly the policy is held to the reference
   * @param desirableWeight w+: what counts more where fewer answers are desirable. The paper has w+
   *     times the desirable ones to w- times the others from 1:1 to 4:3
   * @param undesirableWeight w-
   */
  public record Config(
      double beta, LossType lossType, double desirableWeight, double undesirableWeight) {
    public static final Config DEFAULT = new Config(0.1, LossType.KTO, 1, 1);

    public Config {
      Requirement.beta(beta);
      Requirement.notNegative("desirable_weight", desirableWeight);
      Requirement.notNegative("undesirable_weight", undesirableWeight);
      Requirement.that(
          desirableWeight + undesirableWeight > 0,
          "undesirable_weight",
          undesirableWeight,
          "be positive where 'desirable_weight' is 0");
    }

    /** Whether answers to other prompts say how far the policy has moved. */
    public boolean usesMismatched() {
      return lossType == LossType.KTO;
    }
  }

  private final Config config;

  public Kto(Config config) {
    this.config = config;
  }

  /**
   * What to do about many more answers of one kind than of the other, where the weights do not make
   * up for it: the desirable ones are to count 1 to 4/3 times as much as the others (equation 8).
   */
  @Override
  public @Nullable String advice(List<KtoExample> examples) {
    double desirable = Math.max(1, examples.stream().filter(KtoExample::desirable).count());
    double undesirable = Math.max(1, examples.size() - desirable);
    double ratio =
        desirable * config.desirableWeight() / (undesirable * config.undesirableWeight());
    if (desirable == undesirable || (ratio >= 0.99 && ratio <= 1.34)) {
      return null;
    }
    double least = undesirable * config.undesirableWeight() / desirable;
    double most = desirable * config.desirableWeight() / undesirable;
    return String.format(
        Locale.ROOT,
        "%.0f rows are desirable and %.0f are not: set 'desirable_weight' between %.2f and %.2f, or"
            + " 'undesirable_weight' between %.2f and %.2f",
        desirable,
        undesirable,
        least,
        least * 4 / 3,
        most * 3 / 4,
        most);
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
  public List<Sequence> sequences(KtoExample example) {
    List<Sequence> sequences = new ArrayList<>();
    sequences.add(Sequence.of(example.promptIds(), example.completionIds()));
    if (config.usesMismatched()) {
      sequences.add(Sequence.of(example.promptIds(), example.mismatchedIds()));
    }
    return sequences;
  }

  @Override
  public double weight(KtoExample example) {
    return 1;
  }

  @Override
  public Loss loss(
      List<KtoExample> examples,
      List<Reading> policy,
      @Nullable List<Reading> reference,
      double normaliser) {
    double[] equal = new double[examples.size()];
    Arrays.fill(equal, 1);
    return weightedLoss(examples, equal, policy, reference, normaliser);
  }

  /** How far the policy has moved on the whole is measured by all answers alike. */
  @Override
  public Loss weightedLoss(
      List<KtoExample> examples,
      double[] weights,
      List<Reading> policy,
      @Nullable List<Reading> reference,
      double normaliser) {
    if (reference == null) {
      throw new IllegalArgumentException("kto needs a reference policy");
    }
    double[][] gradient = new double[policy.size()][];
    Metrics metrics = new Metrics();
    int each = policy.size() / examples.size(); // sequences
    double kl = 0;
    for (int m = 1; m < policy.size() && each > 1; m += each) {
      kl += (policy.get(m).sum() - reference.get(m).sum()) / examples.size();
      gradient[m] = policy.get(m).gradient(0);
    }
    kl = Math.max(0, kl);
    double value = 0;
    double[] rewards = new double[2]; // of desirable and undesirable ones
    int[] counts = new int[2];
    for (int i = 0; i < examples.size(); i++) {
      boolean desirable = examples.get(i).desirable();
      double sign = desirable ? 1 : -1;
      double weight =
          weights[i] * (desirable ? config.desirableWeight() : config.undesirableWeight());
      Reading answer = policy.get(i * each);
      double ratio = answer.sum() - reference.get(i * each).sum();
      double x = sign * config.beta() * (ratio - kl);
      value += weight * Logistic.sigmoid(-x) / normaliser;
      double slope = -sign * weight * config.beta() * Logistic.slope(x) / normaliser;
      gradient[i * each] = answer.gradient(slope);
      String kind = desirable ? "chosen" : "rejected";
      metrics
          .add("rewards/" + kind, config.beta() * ratio)
          .add("logps/" + kind, answer.sum())
          .add("kl", kl);
      rewards[desirable ? 0 : 1] += config.beta() * ratio;
      counts[desirable ? 0 : 1]++;
    }
    if (counts[0] > 0 && counts[1] > 0) {
      metrics.add("rewards/margins", rewards[0] / counts[0] - rewards[1] / counts[1]);
    }
    return new Loss(value, gradient, metrics);
  }
}
