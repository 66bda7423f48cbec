package io.attune.engine.data;

import io.attune.engine.token.ChatMessage;
import java.util.List;

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

  /** {@code {text, label}}: a text and its class, by number. */
  record Classified(String text, int label) implements Row {}

  /** {@code {text, label}}: a text and its class, by the name that the model's config has for it. */
  record Labelled(String text, String label) implements Row {}
}
