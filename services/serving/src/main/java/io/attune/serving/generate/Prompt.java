package io.attune.serving.generate;

import java.util.List;

/** What a model is asked to continue. */
public sealed interface Prompt {

  /** Text that is continued as it stands. */
  record Text(String text) implements Prompt {}

  /** A conversation, oldest turn first, which the model's chat template turns into text. */
  record Chat(List<Turn> turns) implements Prompt {
    public Chat {
      turns = List.copyOf(turns);
    }
  }

  /** One turn; the role is "system", "user" or "assistant". */
  record Turn(String role, String content) {}
}
