package io.attune.engine.data;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.template.Rendering;
import io.attune.engine.token.ChatMessage;
import io.attune.engine.token.ChatTemplate;
import io.attune.engine.token.MarkedTokens;
import io.attune.engine.token.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * A conversation to tokens, and which of them the assistant says.
 *
 * <p>Where the template marks that, by {@code {% generation %}}, its marks count. Else the template
 * renders ever more turns: what a rendering adds to the one before an assistant's turn, ending in
 * the prompt for it, is that turn. No text is searched.
 */
final class Turns {
  private final Tokenizer tokenizer;
  private final Continuation continuation;
  private final ChatTemplate template;

  Turns(Tokenizer tokenizer, Continuation continuation, ChatTemplate template) {
    this.tokenizer = tokenizer;
    this.continuation = continuation;
    this.template = template;
  }

  /** All tokens learned. */
  SftExample whole(Row.Conversation row) {
    String text = render(row, row.messages().size(), false);
    return SftExample.completion(continuation.ended(tokenizer.encode(text, false), text), 0);
  }

  /**
   * Tokens up to the last that the assistant says, its turns learned.
   *
   * @param lastOnly whether only the last of them is
   */
  SftExample assistant(Row.Conversation row, boolean lastOnly) {
    int[] turns = assistantTurns(row.messages());
    if (turns.length == 0) {
      throw new EngineException(
          Reason.INVALID_ARGUMENT, "the conversation has no turn of the assistant to learn");
    }
    if (template.marksGeneration()) {
      return marked(row, lastOnly);
    }
    return rendered(row, lastOnly ? new int[] {turns[turns.length - 1]} : turns);
  }

  private SftExample marked(Row.Conversation row, boolean lastOnly) {
    Rendering rendering = template.render(row.messages(), row.tools(), false);
    List<Rendering.Span> spans = rendering.generated();
    if (spans.isEmpty()) {
      throw new EngineException(
          Reason.UNSUPPORTED,
          "the chat template has {% generation %} blocks, but none where the assistant speaks");
    }
    if (lastOnly) {
      spans = spans.subList(spans.size() - 1, spans.size());
    }
    MarkedTokens tokens = tokenizer.encode(rendering.text(), spans);
    int[] ids = continuation.ended(tokens.ids(), rendering.text());
    boolean[] targets = Arrays.copyOf(tokens.marked(), ids.length);
    // An end that was appended is the assistant's where it had the last word.
    boolean spoke = row.messages().get(row.messages().size() - 1).role().equals("assistant");
    Arrays.fill(targets, tokens.ids().length, ids.length, spoke);
    return new SftExample(ids, targets);
  }

  private SftExample rendered(Row.Conversation row, int[] turns) {
    int[] ids = new int[0];
    String text = "";
    List<Integer> borders = new ArrayList<>();
    for (int turn : turns) {
      String before = render(row, turn, true);
      ids = continuation.append(ids, text, Continuation.rest(before, text), false);
      borders.add(ids.length);
      text = render(row, turn + 1, false);
      ids = continuation.append(ids, before, Continuation.rest(text, before), false);
      borders.add(ids.length);
    }
    int[] ended = continuation.ended(ids, text);
    boolean[] targets = new boolean[ended.length];
    for (int i = 0; i < borders.size(); i += 2) {
      Arrays.fill(targets, borders.get(i), borders.get(i + 1), true);
    }
    Arrays.fill(targets, ids.length, ended.length, true);
    return new SftExample(ended, targets);
  }

  private String render(Row.Conversation row, int turns, boolean addGenerationPrompt) {
    List<Map<String, Object>> tools = row.tools();
    return template.render(row.messages().subList(0, turns), tools, addGenerationPrompt).text();
  }

  private static int[] assistantTurns(List<ChatMessage> messages) {
    return IntStream.range(0, messages.size())
        .filter(i -> messages.get(i).role().equals("assistant"))
        .toArray();
  }
}
