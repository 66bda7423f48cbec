package io.attune.engine.objective;

import io.attune.engine.data.LabelledText;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Classification of texts, or of their tokens: the mean of a {@link LabelLoss} over all texts, or
 * over all tokens that have a label.
 *
 * <p>Assumes that a text is read at one place that has a logit for each label.
 */
public final class Classification implements Objective<LabelledText> {
  private final LabelLoss labelLoss;

  public Classification(LabelLoss labelLoss) {
    this.labelLoss = labelLoss;
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
  public List<Sequence> sequences(LabelledText example) {
    return List.of(new Sequence.Classified(example.text(), example.places()));
  }

  @Override
  public double weight(LabelledText example) {
    return example.targets().length;
  }

  @Override
  public Loss loss(
      List<LabelledText> examples,
      List<Reading> policy,
      @Nullable List<Reading> reference,
      double normaliser) {
    double value = 0;
    double[][] gradient = new double[policy.size()][];
    Metrics metrics = new Metrics();
    for (int i = 0; i < policy.size(); i++) {
      double[] logits = policy.get(i).values();
      double[][] targets = examples.get(i).targets();
      int labels = logits.length / targets.length;
      gradient[i] = new double[logits.length];
      for (int place = 0; place < targets.length; place++) {
        double[] row = Arrays.copyOfRange(logits, place * labels, (place + 1) * labels);
        double[] slope = new double[labels];
        value += labelLoss.of(row, targets[place], slope) / normaliser;
        for (int k = 0; k < labels; k++) {
          gradient[i][place * labels + k] = slope[k] / normaliser;
        }
        metrics.add(labelLoss.metric(), labelLoss.measure(row, targets[place]));
      }
    }
    return new Loss(value, gradient, metrics);
  }
}
