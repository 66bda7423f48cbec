package io.attune.engine.data;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.token.ChatMessage;
import io.attune.engine.token.ChatTemplate;
import io.attune.engine.token.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Rows to examples. What is learned follows from the row's structure, never from searching text.
 *
 * <p>A prompt keeps the ids that it has alone, because those are what the model sees when it
 * answers. A completion ends in the end-of-sequence token, so that the model learns to stop. What
 * exceeds the maximum length is cut at the end; a row of which nothing to learn is left gives no
 * example.
 */
public final class Examples {
  private final Tokenizer tokenizer;
  private final Optional<ChatTemplate> template;
  private final Set<Integer> endings;
  private final int maxLength;

  /**
   * @param endings every token that ends a sequence; a completion that ends in one gets no other
   * @param maxLength tokens of an example, prompt included
   */
  public Examples(
      Tokenizer tokenizer, Optional<ChatTemplate> template, Set<Integer> endings, int maxLength) {
    this.tokenizer = tokenizer;
    this.template = template;
    this.endings = Set.copyOf(endings);
    this.maxLength = maxLength;
  }

  /** For supervised fine-tuning: everything but preferences, scores, judgements and classes. */
  public Optional<SftExample> sft(Row row) {
    if (row instanceof Row.PlainText plain) {
      int[] ids = ended(tokenizer.encode(plain.text(), true), plain.text());
      return cut(SftExample.completion(ids, 0));
    }
    if (row instanceof Row.Completion pair) {
      return cut(joined(pair(pair.prompt(), pair.completion())));
    }
    if (row instanceof Row.Instruction instruction) {
      return cut(joined(instruction(instruction)));
    }
    if (row instanceof Row.Conversation conversation) {
      return cut(conversation(conversation.messages()));
    }
    throw unfit(row, "supervised fine-tuning");
  }

  /** For continued pre-training: all tokens of {@code {text}} rows. */
  public Optional<SftExample> text(Row row) {
    if (row instanceof Row.PlainText) {
      return sft(row);
    }
    throw unfit(row, "continued pre-training");
  }

  public Optional<PreferencePair> preference(Row row) {
    if (!(row instanceof Row.Preference preference)) {
      throw unfit(row, "preference training");
    }
    Pair chosen = pair(preference.prompt(), preference.chosen());
    Pair rejected = pair(preference.prompt(), preference.rejected());
    int room = maxLength - chosen.prompt().length;
    return room <= 0
        ? Optional.empty()
        : Optional.of(
            new PreferencePair(
                chosen.prompt(),
                head(chosen.completion(), room),
                head(rejected.completion(), room)));
  }

  public Optional<ScoredCompletion> scored(Row row) {
    if (!(row instanceof Row.Scored scored)) {
      throw unfit(row, "reward regression");
    }
    Pair pair = pair(scored.prompt(), scored.completion());
    int room = maxLength - pair.prompt().length;
    return room <= 0
        ? Optional.empty()
        : Optional.of(
            new ScoredCompletion(pair.prompt(), head(pair.completion(), room), scored.score()));
  }

  public Optional<JudgedCompletion> judged(Row row) {
    if (!(row instanceof Row.Judged judged)) {
      throw unfit(row, "training from thumbs");
    }
    Pair pair = pair(judged.prompt(), judged.completion());
    int room = maxLength - pair.prompt().length;
    return room <= 0
        ? Optional.empty()
        : Optional.of(
            new JudgedCompletion(pair.prompt(), head(pair.completion(), room), judged.desirable()));
  }

  /** Ids of a prompt as the model sees it before it answers. */
  public int[] prompt(Content prompt) {
    return prompt instanceof Content.Messages chat
        ? tokenizer.encode(template(chat.messages()).render(chat.messages(), true), false)
        : tokenizer.encode(((Content.Text) prompt).text(), true);
  }

  /** Ids of what comes before the answer of a row that has one; see {@link #answer}. */
  public int[] prompt(Row row) {
    if (row instanceof Row.Completion pair) {
      return prompt(pair.prompt());
    }
    if (row instanceof Row.Conversation conversation) {
      List<ChatMessage> messages = conversation.messages();
      return prompt(new Content.Messages(messages.subList(0, messages.size() - 1)));
    }
    if (row instanceof Row.Instruction instruction) {
      return template.isPresent()
          ? prompt(new Content.Messages(question(instruction)))
          : tokenizer.encode(Alpaca.prompt(instruction), true);
    }
    throw unfit(row, "comparing answers");
  }

  /**
   * What a model should answer to {@link #prompt(Row)}: the completion, the output, or the last
   * turn, which must be the assistant's and not the only one.
   */
  public static String answer(Row row) {
    if (row instanceof Row.Instruction instruction) {
      return instruction.output();
    }
    if (row instanceof Row.Completion pair && pair.completion() instanceof Content.Text text) {
      return text.text();
    }
    if (row instanceof Row.Completion pair
        && pair.completion() instanceof Content.Messages turns
        && turns.messages().size() == 1) {
      return turns.messages().get(0).content();
    }
    if (row instanceof Row.Conversation conversation && conversation.messages().size() > 1) {
      ChatMessage last = conversation.messages().get(conversation.messages().size() - 1);
      if (last.role().equals("assistant")) {
        return last.content();
      }
    }
    throw unfit(row, "comparing answers: it has no single answer at its end");
  }

  /** Prompt and completion, as a policy or a reward model reads them. */
  @SuppressWarnings("ArrayRecordComponent") // read-only by convention
  public record Pair(int[] prompt, int[] completion) {}

  /** Ids of a prompt and of a completion to it, with the token that ends it. */
  public Pair pair(Content prompt, Content completion) {
    if (prompt instanceof Content.Text before && completion instanceof Content.Text after) {
      return pair(before.text(), after.text(), true);
    }
    if (prompt instanceof Content.Messages before && completion instanceof Content.Messages after) {
      return chatPair(before.messages(), after.messages());
    }
    throw new EngineException(
        Reason.INVALID_ARGUMENT, "prompt and completion are not both text or both messages");
  }

  private Pair instruction(Row.Instruction row) {
    if (template.isPresent()) {
      return chatPair(question(row), List.of(new ChatMessage("assistant", row.output())));
    }
    return pair(Alpaca.prompt(row), row.output(), true);
  }

  private static List<ChatMessage> question(Row.Instruction row) {
    String content =
        row.input().isEmpty() ? row.instruction() : row.instruction() + "\n" + row.input();
    return List.of(new ChatMessage("user", content));
  }

  private Pair chatPair(List<ChatMessage> prompt, List<ChatMessage> completion) {
    List<ChatMessage> all = new ArrayList<>(prompt);
    all.addAll(completion);
    String before = template(all).render(prompt, true);
    String full = template(all).render(all, false);
    return pair(before, rest(full, before), false);
  }

  private Pair pair(String prompt, String completion, boolean addSpecialTokens) {
    int[] promptIds = tokenizer.encode(prompt, addSpecialTokens);
    int[] ids = append(promptIds, prompt, completion, addSpecialTokens);
    int[] completionIds = Arrays.copyOfRange(ids, promptIds.length, ids.length);
    return new Pair(promptIds, ended(completionIds, completion));
  }

  /**
   * Ids of two texts, the first with the ids given. As the reference, both are tokenized together;
   * where that would change the first one's ids, each is tokenized alone.
   */
  private int[] append(int[] ids, String before, String after, boolean addSpecialTokens) {
    int[] joint = tokenizer.encode(before + after, addSpecialTokens);
    if (joint.length >= ids.length && Arrays.equals(ids, 0, ids.length, joint, 0, ids.length)) {
      return joint;
    }
    return concatenate(ids, tokenizer.encode(after, false));
  }

  private SftExample conversation(List<ChatMessage> messages) {
    ChatTemplate chat = template(messages);
    int[] ids = new int[0];
    String text = "";
    List<Integer> borders = new ArrayList<>();
    for (int i = 0; i < messages.size(); i++) {
      if (!messages.get(i).role().equals("assistant")) {
        continue;
      }
      String before = chat.render(messages.subList(0, i), true);
      ids = append(ids, text, rest(before, text), false);
      borders.add(ids.length);
      String after = chat.render(messages.subList(0, i + 1), false);
      ids = append(ids, before, rest(after, before), false);
      borders.add(ids.length);
      text = after;
    }
    int[] ended = ended(ids, text);
    boolean[] targets = new boolean[ended.length];
    for (int i = 0; i < borders.size(); i += 2) {
      Arrays.fill(targets, borders.get(i), borders.get(i + 1), true);
    }
    if (!borders.isEmpty()) {
      Arrays.fill(targets, ids.length, ended.length, true);
    }
    return new SftExample(ended, targets);
  }

  private static String rest(String full, String start) {
    if (!full.startsWith(start)) {
      throw new EngineException(
          Reason.UNSUPPORTED,
          "the chat template writes earlier turns differently once a later one follows, so what"
              + " the assistant said cannot be told apart; use {prompt, completion} rows of text");
    }
    return full.substring(start.length());
  }

  /** Appends the end-of-sequence token where neither the row nor the template wrote one. */
  private int[] ended(int[] ids, String text) {
    int last = ids.length - 1;
    // Templates often write a newline after the token that ends a turn.
    String blanks = text.substring(text.stripTrailing().length());
    int trailing = blanks.isEmpty() ? 0 : tokenizer.encode(blanks, false).length;
    for (int i = last; i >= 0 && i >= last - trailing; i--) {
      if (endings.contains(ids[i])) {
        return ids;
      }
    }
    int eos =
        tokenizer.eosTokenId().orElseGet(() -> endings.stream().min(Integer::compare).orElse(-1));
    return eos < 0 ? ids : concatenate(ids, new int[] {eos});
  }

  private ChatTemplate template(List<ChatMessage> messages) {
    return template.orElseThrow(
        () ->
            new EngineException(
                Reason.INCOMPATIBLE,
                "rows with messages (here of role '"
                    + messages.get(0).role()
                    + "') need a chat template, and the model has none"));
  }

  private static SftExample joined(Pair pair) {
    return SftExample.completion(
        concatenate(pair.prompt(), pair.completion()), pair.prompt().length);
  }

  private Optional<SftExample> cut(SftExample whole) {
    int length = Math.min(maxLength, whole.inputIds().length);
    SftExample cut =
        new SftExample(head(whole.inputIds(), length), Arrays.copyOf(whole.targets(), length));
    // The first token is never predicted.
    for (int i = 1; i < length; i++) {
      if (cut.targets()[i]) {
        return Optional.of(cut);
      }
    }
    return Optional.empty();
  }

  private static int[] head(int[] ids, int length) {
    return ids.length <= length ? ids : Arrays.copyOf(ids, length);
  }

  private static int[] concatenate(int[] a, int[] b) {
    int[] both = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, both, a.length, b.length);
    return both;
  }

  static EngineException unfit(Row row, String purpose) {
    return new EngineException(
        Reason.INVALID_ARGUMENT,
        "a row of shape " + row.getClass().getSimpleName() + " does not serve " + purpose);
  }
}
