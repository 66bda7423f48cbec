package io.attune.engine.evaluate;

import java.util.List;

/** A metric of texts that were written, against texts that are right. */
public interface TextMetric extends Metric {
  /**
   * What the metric needs to know of a row.
   *
   * @param references one or more texts that are right
   */
  double[] statistics(String hypothesis, List<String> references);

  /**
   * All that must be equal for two scores to be comparable; empty where there is nothing to set.
   */
  default String signature() {
    return "";
  }

  /** Scores a single row. */
  default double sentence(String hypothesis, List<String> references) {
    return score(statistics(hypothesis, references));
  }
}
