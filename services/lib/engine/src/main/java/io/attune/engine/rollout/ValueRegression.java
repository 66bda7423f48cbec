package io.attune.engine.rollout;

import io.attune.engine.objective.Loss;
import io.attune.engine.objective.Metrics;
import io.attune.engine.objective.Objective;
import io.attune.engine.objective.Reading;
import io.attune.engine.objective.Sequence;
import io.attune.engine.token.TokenizedText;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The value model of PPO: what return to expect before each token is chosen.
 *
 * <p>Schulman et al., arXiv 1506.02438; clipped as in OpenAI's baselines (Engstrom et al., arXiv
 * 2005.12729). With v the value, o the old one and R the return of a token:
 *
 * <pre>loss = c / 2 mean over tokens of max((v - R)^2, (clip(v, o - range, o + range) - R)^2)</pre>
 *
 * <p>The value for token t is read at the token before it, the state from which t is chosen; for
 * the first one that is the prompt's last token. The mean is over all tokens of a step.
 */
public final class ValueRegression implements Objective<Experience> {

  /**
   * @param cliprangeValue how far a value may move from the old one; infinite for any distance
   * @param vfCoef c: what the loss counts beside the policy's
   */
  public record Config(double cliprangeValue, double vfCoef) {
    public static final Config DEFAULT = new Config(0.2, 0.1);

    /**
     * @throws IllegalArgumentException if a value is out of its range
     */
    public Config {
      if (!(cliprangeValue > 0)) {
        throw new IllegalArgumentException(
            "'cliprange_value' is " + cliprangeValue + "; it must be > 0");
      }
      if (!(vfCoef > 0 && vfCoef < Double.POSITIVE_INFINITY)) {
        throw new IllegalArgumentException("'vf_coef' is " + vfCoef + "; it must be > 0");
      }
    }
  }

  private final Config config;

  public ValueRegression(Config config) {
    this.config = config;
  }

  @Override
  public Readout readout() {
    return Readout.LOGITS;
  }

  @Override
  public boolean usesReference() {
    return false;
  }

  @Override
  public List<Sequence> sequences(Experience example) {
    int[] prompt = example.promptIds();
    int[] completion = example.completionIds();
    int[] ids = new int[prompt.length + completion.length];
    System.arraycopy(prompt, 0, ids, 0, prompt.length);
    System.arraycopy(completion, 0, ids, prompt.length, completion.length);
    int[] places = IntStream.range(prompt.length - 1, ids.length - 1).toArray();
    return List.of(new Sequence.Classified(TokenizedText.of(ids), places));
  }

  @Override
  public double weight(Experience example) {
    return example.length();
  }

  @Override
  public Loss loss(
      List<Experience> examples,
      List<Reading> policy,
      @Nullable List<Reading> reference,
      double normaliser) {
    double total = 0;
    double[][] gradient = new double[examples.size()][];
    Metrics metrics = new Metrics();
    double share = config.vfCoef() / normaliser;
    for (int i = 0; i < gradient.length; i++) {
      double[] values = policy.get(i).values();
      double[] returns = required("returns", examples.get(i).returns());
      double[] old = required("oldValues", examples.get(i).oldValues());
      if (values.length != returns.length) {
        throw new IllegalArgumentException(
            "%d values for a completion of %d tokens".formatted(values.length, returns.length));
      }
      gradient[i] = new double[values.length];
      double sum = 0;
      int clipped = 0;
      for (int t = 0; t < values.length; t++) {
        double range = config.cliprangeValue();
        double near = Clamp.of(values[t], old[t] - range, old[t] + range);
        double miss = values[t] - returns[t];
        double free = miss * miss;
        double held = (near - returns[t]) * (near - returns[t]);
        sum += Math.max(free, held) / 2;
        clipped += held > free ? 1 : 0;
        // What clipping holds does not move; where both are equal torch takes half of each slope.
        double moves = near == values[t] || free > held ? 1 : free == held ? 0.5 : 0;
        gradient[i][t] = share * miss * moves;
      }
      total += sum;
      metrics
          .add("loss/value_avg", sum, values.length)
          .add("val/clipfrac_avg", clipped, values.length);
    }
    return new Loss(share * total, gradient, metrics);
  }

  /**
   * How much of the returns' variance the values foresaw: 1 for all, 0 for what a constant would,
   * below 0 for less. Of a rollout batch as a whole, since it is no mean over its parts.
   *
   * @return NaN where all returns are alike
   */
  public static double explainedVariance(List<Experience> rollouts) {
    double[] returns = all(rollouts, e -> required("returns", e.returns()));
    double[] values = all(rollouts, e -> required("oldValues", e.oldValues()));
    double[] misses = new double[returns.length];
    for (int t = 0; t < misses.length; t++) {
      misses[t] = returns[t] - values[t];
    }
    double spread = Moments.of(returns).variance();
    return spread > 0 ? 1 - Moments.of(misses).variance() / spread : Double.NaN;
  }

  private static double[] all(List<Experience> rollouts, Function<Experience, double[]> what) {
    return rollouts.stream().map(what).flatMapToDouble(Arrays::stream).toArray();
  }

  private static double[] required(String name, double @Nullable [] values) {
    if (values == null) {
      throw new IllegalArgumentException(
          "an experience has no '" + name + "'; a value model learns from them");
    }
    return values;
  }
}
