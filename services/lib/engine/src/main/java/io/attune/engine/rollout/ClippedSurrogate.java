package io.attune.engine.rollout;

import io.attune.engine.objective.Metrics;
import java.util.Arrays;

/** The clipped surrogate of one completion; formula and names are those of PolicyGradient. */
final class ClippedSurrogate {
  private final PolicyGradient.Config config;
  private final Experience example;
  private final double[] logProbs;

  /** For each token the logarithm of the ratio that counts for it, not clamped. */
  private final double[] logRatios;

  ClippedSurrogate(PolicyGradient.Config config, Experience example, double[] logProbs) {
    this.config = config;
    this.example = example;
    this.logProbs = logProbs;
    this.logRatios = new double[logProbs.length];
    for (int t = 0; t < logRatios.length; t++) {
      logRatios[t] = logProbs[t] - example.oldLogProbs()[t];
    }
    double sum = Arrays.stream(logRatios).sum();
    switch (config.importanceSamplingLevel()) {
      case TOKEN -> {}
      case SEQUENCE -> Arrays.fill(logRatios, sum / logRatios.length);
      case TRAJECTORY -> Arrays.fill(logRatios, sum);
    }
  }

  /**
   * The sum of the losses of all tokens.
   *
   * @param gradient to which {@code share} times its derivative is added
   */
  double loss(double share, double[] gradient) {
    double sum = 0;
    double[] slopes = new double[logProbs.length]; // by the logarithm of each token's ratio
    for (int t = 0; t < slopes.length; t++) {
      double advantage = example.advantages()[t];
      double weight = weight(t);
      sum -= weight * Math.min(capped(t) * advantage, near(t) * advantage);
      slopes[t] = -weight * advantage * ratio(t) * moves(t);
    }
    double all = Arrays.stream(slopes).sum();
    for (int t = 0; t < slopes.length; t++) {
      gradient[t] +=
          share
              * switch (config.importanceSamplingLevel()) {
                case TOKEN -> slopes[t];
                case SEQUENCE -> all / slopes.length;
                case TRAJECTORY -> all;
              };
    }
    return sum;
  }

  /** Adds to metrics what has been clipped and how far the policy has moved. */
  void observe(Metrics metrics) {
    int length = logProbs.length;
    double low = 0;
    double high = 0;
    double held = 0;
    double moved = 0;
    double ratios = 0;
    double weights = 0;
    for (int t = 0; t < length; t++) {
      double advantage = example.advantages()[t];
      double change = logProbs[t] - example.oldLogProbs()[t];
      low += capped(t) < 1 - config.clipRangeLow() && advantage < 0 ? 1 : 0;
      high += capped(t) > 1 + config.clipRangeHigh() && advantage > 0 ? 1 : 0;
      held += near(t) * advantage < capped(t) * advantage ? 1 : 0;
      moved += change * change / 2;
      ratios += ratio(t);
      weights += weight(t);
    }
    // The ratio of a whole completion counts once, as in trl.
    boolean ofTokens = config.importanceSamplingLevel() == ImportanceSamplingLevel.TOKEN;
    double each = ofTokens ? 1 : length;
    metrics
        .add("clip_ratio/low_mean", low / each, length / each)
        .add("clip_ratio/high_mean", high / each, length / each)
        .add("clip_ratio/region_mean", (low + high) / each, length / each)
        .add("policy/clipfrac_avg", held, length)
        .add("policy/approxkl_avg", moved, length)
        .add("val/ratio", ratios, length);
    if (example.importanceWeights() != null) {
      metrics.add("sampling/importance_sampling_ratio/mean", weights, length);
    }
  }

  private double ratio(int token) {
    return Math.exp(Clamp.of(logRatios[token], config.logRatioClamp()));
  }

  private double capped(int token) {
    return Math.min(ratio(token), config.delta());
  }

  private double near(int token) {
    return Clamp.of(ratio(token), 1 - config.clipRangeLow(), 1 + config.clipRangeHigh());
  }

  private double weight(int token) {
    double[] weights = example.importanceWeights();
    return weights == null ? 1 : Math.min(weights[token], config.importanceWeightCap());
  }

  /**
   * The derivative of min(capped A, near A) / A by the ratio, as torch has it: what is clamped does
   * not move, and where both are equal each counts half.
   */
  private double moves(int token) {
    if (Math.abs(logRatios[token]) > config.logRatioClamp()) {
      return 0;
    }
    double ratio = ratio(token);
    double ofCapped = capped(token) == ratio ? 1 : 0;
    double ofNear = near(token) == ratio ? 1 : 0;
    double advantage = example.advantages()[token];
    int order = Double.compare(capped(token) * advantage, near(token) * advantage);
    return order < 0 ? ofCapped : order > 0 ? ofNear : (ofCapped + ofNear) / 2;
  }
}
