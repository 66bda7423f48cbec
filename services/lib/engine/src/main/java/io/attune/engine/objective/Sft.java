package io.attune.engine.objective;

import io.attune.engine.data.SftExample;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Supervised fine-tuning: make the tokens of a good answer likely.
 *
 * <pre>loss = - sum over target tokens of log p(token | tokens before it) / number of target tokens
 * </pre>
 *
 * <p>Target tokens are counted over the whole step, not per micro-batch, so that accumulation does
 * not change the result. Assumes that examples have targets behind their first token.
 */
public final class Sft implements Objective<SftExample> {

  /**
   * @param labelSmoothing e: how much of each target is spread over the vocabulary (Szegedy et al.,
   *     arXiv 1512.00567); log p is then (1 - e) log p(token) + e mean of log p
   */
  public record Config(double labelSmoothing) {
    public static final Config DEFAULT = new Config(0);

    public Config {
      requireSmoothing(labelSmoothing);
    }
  }

  private final Config config;

  public Sft() {
    this(Config.DEFAULT);
  }

  public Sft(Config config) {
    this.config = config;
  }

  static void requireSmoothing(double labelSmoothing) {
    if (!(labelSmoothing >= 0 && labelSmoothing < 1)) {
      throw new IllegalArgumentException(
          "'label_smoothing' is " + labelSmoothing + "; it must be in [0, 1)");
    }
  }

  @Override
  public Readout readout() {
    return Readout.LOG_PROBS;
  }

  @Override
  public boolean usesReference() {
    return false;
  }

  @Override
  public List<Sequence> sequences(SftExample example) {
    return List.of(sequence(example));
  }

  private static Sequence.Continued sequence(SftExample example) {
    return new Sequence.Continued(example.inputIds(), example.targets());
  }

  @Override
  public double labelSmoothing() {
    return config.labelSmoothing();
  }

  @Override
  public double weight(SftExample example) {
    return sequence(example).targetCount();
  }

  @Override
  public Loss loss(
      List<SftExample> examples,
      List<Reading> policy,
      @Nullable List<Reading> reference,
      double normaliser) {
    return negativeLogLikelihood(policy, normaliser);
  }

  static Loss negativeLogLikelihood(List<Reading> policy, double normaliser) {
    double value = 0;
    List<double[]> gradient = new ArrayList<>();
    Metrics metrics = new Metrics();
    for (Reading reading : policy) {
      value -= reading.sum() / normaliser;
      double[] each = new double[reading.values().length];
      Arrays.fill(each, -1 / normaliser);
      gradient.add(each);
      int correct = 0;
      for (boolean hit : reading.correct()) {
        correct += hit ? 1 : 0;
      }
      metrics.add("mean_token_accuracy", correct, reading.correct().length);
    }
    return new Loss(value, gradient.toArray(double[][]::new), metrics);
  }
}
