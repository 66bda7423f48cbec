package io.attune.reward;

import io.attune.engine.data.Content;

/**
 * An answer to score.
 *
 * @param prompt text, or the conversation that the answer continues
 */
public record PromptAnswer(Content prompt, String completion) {

  /** The answer in the prompt's form. */
  Content answer() {
    return prompt instanceof Content.Text
        ? new Content.Text(completion)
        : Scorer.assistant(completion);
  }
}
