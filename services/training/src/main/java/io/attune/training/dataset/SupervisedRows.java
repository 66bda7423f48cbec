package io.attune.training.dataset;

import io.attune.training.dataset.PromptRatings.Answer;
import java.util.ArrayList;
import java.util.List;

/**
 * Answers to imitate: corrections, chosen answers, and those with a high mean score. An answer that
 * somebody chose but that the scores place below the minimum is left out.
 */
final class SupervisedRows {
  private SupervisedRows() {}

  /**
   * Makes the rows of one prompt.
   *
   * @param minimumScore least mean score, 0 to 1
   */
  static List<Row.Supervised> of(PromptRatings prompt, double minimumScore) {
    List<Row.Supervised> rows = new ArrayList<>();
    for (Answer answer : prompt.answers()) {
      boolean scored = answer.mean().isPresent();
      boolean good = scored && answer.mean().getAsDouble() >= minimumScore - 1e-9;
      boolean approved = !scored && answer.approval() > 0;
      if (good || approved) {
        List<String> ids = new ArrayList<>(answer.scoreIds());
        ids.addAll(answer.approvalIds());
        double raters = (scored ? answer.weight() : 0) + answer.approval();
        rows.add(
            new Row.Supervised(prompt.prompt(), answer.text(), RowWeights.of(prompt, raters), ids));
      }
    }
    return rows;
  }
}
