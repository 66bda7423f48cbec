package io.attune.training.dataset;

import io.attune.training.dataset.PromptRatings.Answer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Answers that are good or bad, for KTO: those whose mean score is far enough from the middle. A
 * thumb is as far from it as can be.
 */
final class JudgedRows {
  private static final double MIDDLE = 0.5;
  private static final double ROUNDING = 1e-9;

  private JudgedRows() {}

  /**
   * Makes the rows of one prompt.
   *
   * @param minimumMargin least distance of a mean score from 0.5; a mean of 0.5 is no judgement in
   *     any case
   */
  static List<Row.Judged> of(PromptRatings prompt, double minimumMargin) {
    List<Row.Judged> rows = new ArrayList<>();
    for (Answer answer : prompt.answers()) {
      if (answer.mean().isEmpty()) {
        continue;
      }
      double distance = Math.abs(answer.mean().getAsDouble() - MIDDLE);
      if (distance > ROUNDING && distance >= minimumMargin - ROUNDING) {
        rows.add(
            new Row.Judged(
                prompt.prompt(),
                answer.text(),
                answer.mean().getAsDouble() > MIDDLE,
                RowWeights.of(prompt, answer.weight()),
                List.copyOf(answer.scoreIds())));
      }
    }
    return rows;
  }

  /** Those of them that no pair of the prompt has: lone thumbs. */
  static List<Row.Judged> unpaired(PromptRatings prompt, double minimumMargin, PairRows.Rule rule) {
    Set<String> paired = new HashSet<>();
    for (Row.Pair pair : PairRows.of(prompt, rule)) {
      paired.add(pair.chosen());
      paired.add(pair.rejected());
    }
    return of(prompt, minimumMargin).stream()
        .filter(row -> !paired.contains(row.completion()))
        .toList();
  }
}
