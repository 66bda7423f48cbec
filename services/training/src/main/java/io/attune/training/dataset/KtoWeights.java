package io.attune.training.dataset;

import java.util.List;

/**
 * What KTO multiplies the losses of good and bad answers with, so that the rarer kind is not
 * drowned: the two sides shall weigh from 1:1 to 4:3 (Ethayarajh et al., arXiv 2402.01306, section
 * 4.2; TRL's guide). Where they do already, both weights are 1; else the lighter side's is raised.
 *
 * @param desirable of good answers, {@code desirable_weight}
 * @param undesirable of bad answers, {@code undesirable_weight}
 */
public record KtoWeights(double desirable, double undesirable) {
  private static final double MOST = 4.0 / 3;

  static KtoWeights of(List<Row.Judged> rows) {
    double good = sum(rows, true);
    double bad = sum(rows, false);
    if (good == 0 || bad == 0) {
      return new KtoWeights(1, 1);
    }
    if (good < bad) {
      return new KtoWeights(bad / good, 1);
    }
    return new KtoWeights(1, good > MOST * bad ? good / (MOST * bad) : 1);
  }

  private static double sum(List<Row.Judged> rows, boolean desirable) {
    return rows.stream()
        .filter(row -> row.desirable() == desirable)
        .mapToDouble(Row.Judged::weight)
        .sum();
  }
}
