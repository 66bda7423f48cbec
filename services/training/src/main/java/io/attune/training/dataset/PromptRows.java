package io.attune.training.dataset;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Prompts to answer in training, for PPO and its like: what people asked, each once. */
final class PromptRows {
  private PromptRows() {}

  /** One row for the prompt, unless it is empty: there is nothing to answer. */
  static List<Row.Prompt> of(PromptRatings prompt) {
    JsonNode asked = prompt.prompt();
    if (PromptRatings.isEmpty(asked)) {
      return List.of();
    }
    Set<String> ids = new LinkedHashSet<>();
    prompt.answers().forEach(answer -> ids.addAll(answer.scoreIds()));
    prompt.answers().forEach(answer -> ids.addAll(answer.approvalIds()));
    return List.of(new Row.Prompt(asked, List.copyOf(ids)));
  }
}
