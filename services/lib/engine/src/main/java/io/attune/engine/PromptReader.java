package io.attune.engine;

import io.attune.engine.EngineException.Reason;
import io.attune.engine.data.Content;
import io.attune.engine.data.Examples;
import io.attune.engine.data.Row;
import io.attune.engine.data.RowFormat;
import io.attune.engine.data.Rows;
import io.attune.engine.online.Prompt;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Reads prompts for a policy to answer.
 *
 * @param maxLength tokens of prompt and completion at most; the model's context may be shorter
 * @param virtualTokens that an adapter puts before a prompt
 * @param maxCompletionLength tokens that a prompt has to leave room for
 */
record PromptReader(
    LanguageModel model, int maxLength, int virtualTokens, int maxCompletionLength) {

  /**
   * Those that leave room for a completion; at least one.
   *
   * @param notices hears how many do not
   */
  List<Prompt> read(Path file, RowFormat format, Consumer<String> notices) {
    int longest = Math.min(maxLength, model.config().maxPositions());
    int room = longest - virtualTokens - maxCompletionLength;
    if (room < 1) {
      throw new IllegalArgumentException(
          "'max_completion_length' is "
              + maxCompletionLength
              + "; within "
              + longest
              + " tokens (max_length, or the model's context) it leaves none for a prompt");
    }
    Examples examples = model.examples(longest);
    List<Prompt> prompts = new ArrayList<>();
    int tooLong = 0;
    List<Row.Prompt> rows = Rows.prompts(file, format);
    for (int i = 0; i < rows.size(); i++) {
      int[] ids = ids(examples, rows.get(i), file + ", row " + (i + 1));
      if (ids.length <= room) {
        prompts.add(new Prompt(rows.get(i), text(rows.get(i).prompt()), ids));
      } else {
        tooLong++;
      }
    }
    if (tooLong > 0) {
      notices.accept(
          file
              + ": left out "
              + tooLong
              + " prompts of more than "
              + room
              + " tokens, which leave no room for max_completion_length");
    }
    if (prompts.isEmpty()) {
      throw new EngineException(
          Reason.TOO_LITTLE_DATA, file + ": no prompt has at most " + room + " tokens");
    }
    return prompts;
  }

  private static int[] ids(Examples examples, Row.Prompt row, String where) {
    int[] ids;
    try {
      ids = examples.prompt(row.prompt());
    } catch (EngineException e) {
      throw new EngineException(e.reason(), where + ": " + e.getMessage(), e);
    }
    if (ids.length == 0) {
      throw new EngineException(
          Reason.INVALID_ARGUMENT, where + ": the prompt has no token to go on from");
    }
    return ids;
  }

  private String text(Content prompt) {
    return prompt instanceof Content.Messages turns
        ? model.chatTemplate().orElseThrow().render(turns.messages(), true)
        : ((Content.Text) prompt).text();
  }
}
