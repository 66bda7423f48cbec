package io.attune.engine.objective;

/** What one text's or token's logits cost, by what its labels mean. */
public sealed interface LabelLoss {

  /**
   * The loss of a row of logits; its derivative goes into {@code gradient}, of the same length.
   *
   * @param target as {@link io.attune.engine.data.LabelledText} has it
   */
  double of(double[] logits, double[] target, double[] gradient);

  /** A number that says how good the logits are, and its name. */
  double measure(double[] logits, double[] target);

  /** What {@link #measure} measures. */
  String metric();

  /**
   * Softmax over classes that exclude each other; the target is the class's index.
   *
   * <pre>loss = -(1 - e) log p(target) - e / L sum over classes of log p(class)</pre>
   *
   * @param labelSmoothing e: how much of the target is spread over all L classes (arXiv 1512.00567)
   */
  record CrossEntropy(double labelSmoothing) implements LabelLoss {
    public CrossEntropy {
      Sft.requireSmoothing(labelSmoothing);
    }

    @Override
    public double of(double[] logits, double[] target, double[] gradient) {
      double max = Double.NEGATIVE_INFINITY;
      for (double logit : logits) {
        max = Math.max(max, logit);
      }
      double sum = 0;
      for (double logit : logits) {
        sum += Math.exp(logit - max);
      }
      double logSum = max + Math.log(sum);
      double loss = 0;
      for (int i = 0; i < logits.length; i++) {
        double wanted = labelSmoothing / logits.length;
        wanted += i == (int) target[0] ? 1 - labelSmoothing : 0;
        double logProb = logits[i] - logSum;
        loss -= wanted * logProb;
        gradient[i] = Math.exp(logProb) - wanted;
      }
      return loss;
    }

    @Override
    public double measure(double[] logits, double[] target) {
      int best = 0;
      for (int i = 1; i < logits.length; i++) {
        best = logits[i] > logits[best] ? i : best;
      }
      return best == (int) target[0] ? 1 : 0;
    }

    @Override
    public String metric() {
      return "accuracy";
    }
  }

  /**
   * A sigmoid for each label; the target says 1 or 0 for each.
   *
   * <pre>loss = - mean over labels of t log s(z) + (1 - t) log s(-z)</pre>
   */
  record BinaryCrossEntropy() implements LabelLoss {
    @Override
    public double of(double[] logits, double[] target, double[] gradient) {
      double loss = 0;
      for (int i = 0; i < logits.length; i++) {
        double right = target[i] * Logistic.logSigmoid(logits[i]);
        double wrong = (1 - target[i]) * Logistic.logSigmoid(-logits[i]);
        loss -= (right + wrong) / logits.length;
        gradient[i] = (Logistic.sigmoid(logits[i]) - target[i]) / logits.length;
      }
      return loss;
    }

    @Override
    public double measure(double[] logits, double[] target) {
      double right = 0;
      for (int i = 0; i < logits.length; i++) {
        right += logits[i] > 0 == target[i] > 0.5 ? 1 : 0;
      }
      return right / logits.length;
    }

    @Override
    public String metric() {
      return "label_accuracy";
    }
  }

  /**
   * Logits are values; so are the targets.
   *
   * <pre>loss = mean over labels of (z - t)^2</pre>
   */
  record SquaredError() implements LabelLoss {
    @Override
    public double of(double[] logits, double[] target, double[] gradient) {
      double loss = 0;
      for (int i = 0; i < logits.length; i++) {
        double error = logits[i] - target[i];
        loss += error * error / logits.length;
        gradient[i] = 2 * error / logits.length;
      }
      return loss;
    }

    @Override
    public double measure(double[] logits, double[] target) {
      return of(logits, target, new double[logits.length]);
    }

    @Override
    public String metric() {
      return "mse";
    }
  }
}
