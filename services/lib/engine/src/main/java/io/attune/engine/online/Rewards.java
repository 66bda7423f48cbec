package io.attune.engine.online;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.objective.Metrics;
import java.util.List;
import java.util.stream.IntStream;

/** Several sources of reward, summed by weight. Single-threaded. */
public final class Rewards implements AutoCloseable {
  private static final int EXCERPT = 80;

  private final List<RewardSource> sources;
  private final double[] weights;

  /**
   * @param sources closed with this; at least one
   * @param weights of each; empty for 1 each
   */
  public Rewards(List<RewardSource> sources, List<Double> weights) {
    this.sources = List.copyOf(sources);
    if (sources.isEmpty()) {
      throw new IllegalArgumentException(
          "nothing says how good a completion is; set 'reward_model', 'reward_function' or"
              + " 'reward_rule'");
    }
    if (!weights.isEmpty() && weights.size() != sources.size()) {
      throw new IllegalArgumentException(
          "'reward_weights' has %d numbers for %d rewards"
              .formatted(weights.size(), sources.size()));
    }
    this.weights =
        weights.isEmpty()
            ? IntStream.range(0, sources.size()).mapToDouble(i -> 1).toArray()
            : weights.stream().mapToDouble(w -> w).toArray();
  }

  /**
   * What completions are worth.
   *
   * @param metrics under trl's names
   */
  @SuppressWarnings("ArrayRecordComponent") // handed over, never kept
  record Scores(double[] total, Metrics metrics) {}

  Scores score(List<Rollout> rollouts) {
    double[] total = new double[rollouts.size()];
    Metrics metrics = new Metrics();
    for (int s = 0; s < weights.length; s++) {
      RewardSource source = sources.get(s);
      double[] scores = source.score(rollouts);
      if (scores.length != total.length) {
        throw new EngineException(
            Reason.INVALID_ARGUMENT,
            "reward '%s' gave %d scores for %d completions"
                .formatted(source.name(), scores.length, total.length));
      }
      for (int i = 0; i < total.length; i++) {
        if (!Double.isFinite(scores[i])) {
          throw new EngineException(
              Reason.INVALID_ARGUMENT,
              "reward '%s' is %s for the completion '%s'; it must be a finite number"
                  .formatted(source.name(), scores[i], excerpt(rollouts.get(i).completion())));
        }
        total[i] += weights[s] * scores[i];
      }
      metrics
          .add("rewards/" + source.name() + "/mean", mean(scores))
          .add("rewards/" + source.name() + "/std", deviation(scores));
    }
    metrics.add("reward", mean(total)).add("reward_std", deviation(total));
    return new Scores(total, metrics);
  }

  private static String excerpt(String text) {
    return text.length() <= EXCERPT ? text : text.substring(0, EXCERPT) + "...";
  }

  private static double mean(double[] values) {
    double sum = 0;
    for (double value : values) {
      sum += value;
    }
    return sum / values.length;
  }

  /** Unbiased; 0 for a single value. */
  private static double deviation(double[] values) {
    double mean = mean(values);
    double sum = 0;
    for (double value : values) {
      sum += (value - mean) * (value - mean);
    }
    return values.length < 2 ? 0 : Math.sqrt(sum / (values.length - 1));
  }

  @Override
  public void close() {
    sources.forEach(RewardSource::close);
  }
}
