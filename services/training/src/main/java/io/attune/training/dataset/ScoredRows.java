package io.attune.training.dataset;

import java.util.List;

/** Answers with their mean scores, for a reward model that learns the score itself. */
final class ScoredRows {
  private ScoredRows() {}

  /** One row for each answer of the prompt that somebody scored. */
  static List<Row.Scored> of(PromptRatings prompt) {
    return prompt.answers().stream()
        .filter(answer -> answer.mean().isPresent())
        .map(
            answer ->
                new Row.Scored(
                    prompt.prompt(),
                    answer.text(),
                    answer.mean().getAsDouble(),
                    RowWeights.of(prompt, answer.weight()),
                    List.copyOf(answer.scoreIds())))
        .toList();
  }
}
