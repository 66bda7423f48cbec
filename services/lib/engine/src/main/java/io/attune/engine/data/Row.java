package io.attune.engine.data;

import io.attune.engine.token.ChatMessage;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A row of a data set, in one of the shapes that Hugging Face's trainers take. */
public sealed interface Row {

  /**
   * {@code {text}}, or text from a file of text.
   *
   * @param begins whether a document begins here, and does not go on from the row before
   * @param ends whether it ends here, and does not go on in the next row
   */
  record PlainText(String text, boolean begins, boolean ends) implements Row {
    public PlainText(String text) {
      this(text, true, true);
    }
  }

  /** {@code {prompt, completion}}, each text or turns. */
  record Completion(Content prompt, Content completion) implements Row {}

  /**
   * {@code {prompt}}, text or turns: what a policy is to answer.
   *
   * @param fields all that the row says, by its own keys; see {@link Rows#prompts}
   */
  record Prompt(Content prompt, Map<String, Object> fields) implements Row {}

  /**
   * {@code {messages}} or {@code {conversations}}: the assistant's turns are learned.
   *
   * @param tools JSON schemas of what the assistant may call
   */
  record Conversation(List<ChatMessage> messages, List<Map<String, Object>> tools) implements Row {
    public Conversation(List<ChatMessage> messages) {
      this(messages, List.of());
    }
  }

  /**
   * {@code {instruction, input, output}}.
   *
   * @param input empty where the instruction says all
   * @param before the system's turn and earlier questions and answers, if there are any
   */
  record Instruction(String instruction, String input, String output, List<ChatMessage> before)
      implements Row {
    public Instruction(String instruction, String input, String output) {
      this(instruction, input, output, List.of());
    }
  }

  /**
   * {@code {prompt, chosen, rejected}}.
   *
   * @param margin by how much the chosen one is better, in the unit of a reward; 0 if not known
   */
  record Preference(Content prompt, Content chosen, Content rejected, double margin)
      implements Row {
    public Preference(Content prompt, Content chosen, Content rejected) {
      this(prompt, chosen, rejected, 0);
    }
  }

  /**
   * {@code {prompt, completion, label}}.
   *
   * @param desirable whether the completion is one to make likelier
   */
  record Judged(Content prompt, Content completion, boolean desirable) implements Row {}

  /** {@code {prompt, completion, score}}; a higher score is better. */
  record Scored(Content prompt, Content completion, double score) implements Row {}

  /** {@code {text, score}}: a text without a prompt; a higher score is better. */
  record RatedText(String text, double score) implements Row {}

  /**
   * {@code {text, label}} or {@code {text, text_pair, label}}: a text, or two, and the class.
   *
   * @param textPair null where there is one text
   */
  record Classified(String text, @Nullable String textPair, Label label) implements Row {}

  /** {@code {tokens, labels}}: words, and the class of each. */
  record Tagged(List<String> tokens, List<Label> labels) implements Row {}
}
