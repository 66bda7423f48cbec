package io.attune.engine.data;

import io.attune.engine.token.ChatMessage;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A row of a data set, in one of the shapes that Hugging Face's trainers take. */
public sealed interface Row {

  /** {@code {text}}. */
  record PlainText(String text) implements Row {}

  /** {@code {prompt, completion}}, each text or turns. */
  record Completion(Content prompt, Content completion) implements Row {}

  /** {@code {messages}} or {@code {conversations}}: the assistant's turns are learned. */
  record Conversation(List<ChatMessage> messages) implements Row {}

  /**
   * {@code {instruction, input, output}}.
   *
   * @param input empty where the instruction says all
   */
  record Instruction(String instruction, String input, String output) implements Row {}

  /** {@code {prompt, chosen, rejected}}. */
  record Preference(Content prompt, Content chosen, Content rejected) implements Row {}

  /**
   * {@code {prompt, completion, label}}.
   *
   * @param desirable whether the completion is one to make likelier
   */
  record Judged(Content prompt, Content completion, boolean desirable) implements Row {}

  /** {@code {prompt, completion, score}}; a higher score is better. */
  record Scored(Content prompt, Content completion, double score) implements Row {}

  /**
   * {@code {text, label}} or {@code {text, text_pair, label}}: a text, or two, and the class.
   *
   * @param textPair null where there is one text
   */
  record Classified(String text, @Nullable String textPair, Label label) implements Row {}

  /** {@code {tokens, labels}}: words, and the class of each. */
  record Tagged(List<String> tokens, List<Label> labels) implements Row {}
}
