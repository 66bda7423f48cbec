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

  /** Nothing can be set. */
  public record Config() {}

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
    return List.of(new Sequence(example.inputIds(), example.targets()));
  }

  @Override
  public double weight(SftExample example) {
    return sequences(example).get(0).targetCount();
  }

  @Override
  public Loss loss(
      List<SftExample> examples,
      List<Reading> policy,
      @Nullable List<Reading> reference,
      double normaliser) {
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
