package io.attune.engine.data;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.data.ExampleOptions.TruncationMode;
import io.attune.engine.token.ChatMessage;
import io.attune.engine.token.ChatTemplate;
import io.attune.engine.token.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Rows to examples. What is learned follows from the row's structure, never from searching text.
 *
 * <p>A prompt keeps the ids that it has alone, because those are what the model sees when it
 * answers. A completion ends in the end-of-sequence token, so that the model learns to stop. A row
 * of which nothing to learn is left within the maximum length gives no example.
 */
public final class Examples {
  private final Tokenizer tokenizer;
  private final Optional<ChatTemplate> template;
  private final Continuation continuation;
  private final int maxLength;
  private final ExampleOptions options;

  /**
   * @param endings every token that ends a sequence; a completion that ends in one gets no other
   * @param maxLength tokens of an example, prompt included
   */
  public Examples(
      Tokenizer tokenizer, Optional<ChatTemplate> template, Set<Integer> endings, int maxLength) {
    this(tokenizer, template, endings, maxLength, ExampleOptions.DEFAULT);
  }

  /** As the other, with what is learned and kept of a row. */
  public Examples(
      Tokenizer tokenizer,
      Optional<ChatTemplate> template,
      Set<Integer> endings,
      int maxLength,
      ExampleOptions options) {
    this.tokenizer = tokenizer;
    this.template = template;
    this.continuation = new Continuation(tokenizer, Set.copyOf(endings));
    this.maxLength = maxLength;
    this.options = options;
  }

  /**
   * For supervised fine-tuning: everything but preferences, scores and classes; of judged answers
   * those that are desirable.
   */
  public Optional<SftExample> sft(Row row) {
    if (row instanceof Row.PlainText plain) {
      return cut(SftExample.completion(text(plain), 0));
    }
    if (row instanceof Row.Completion pair) {
      return cut(joined(pair(pair.prompt(), pair.completion())));
    }
    if (row instanceof Row.Judged judged) {
      return judged.desirable()
          ? cut(joined(pair(judged.prompt(), judged.completion())))
          : Optional.empty();
    }
    if (row instanceof Row.Instruction instruction) {
      return cut(joined(instruction(instruction)));
    }
    if (row instanceof Row.Conversation conversation) {
      Turns turns = new Turns(tokenizer, continuation, template(conversation.messages()));
      return cut(
          options.assistantOnlyLoss()
              ? turns.assistant(conversation, options.maskHistory())
              : turns.whole(conversation));
    }
    throw unfit(row, "supervised fine-tuning");
  }

  /** For continued pre-training: the tokens of {@code {text}} rows, however long. */
  public int[] text(Row row) {
    if (row instanceof Row.PlainText plain) {
      int[] ids = tokenizer.encode(plain.text(), plain.begins());
      return plain.ends() ? continuation.ended(ids, plain.text()) : ids;
    }
    throw unfit(row, "continued pre-training");
  }

  public Optional<PreferencePair> preference(Row row) {
    if (!(row instanceof Row.Preference preference)) {
      throw unfit(row, "preference training");
    }
    Pair chosen = pair(preference.prompt(), preference.chosen());
    Pair rejected = pair(preference.prompt(), preference.rejected());
    int longest = Math.max(chosen.completion().length, rejected.completion().length);
    int[] prompt = fitting(chosen.prompt(), longest);
    int room = maxLength - prompt.length;
    return room <= 0
        ? Optional.empty()
        : Optional.of(
            new PreferencePair(
                prompt,
                head(chosen.completion(), room),
                head(rejected.completion(), room),
                preference.margin()));
  }

  public Optional<ScoredCompletion> scored(Row row) {
    if (row instanceof Row.RatedText rated) {
      int[] ids = continuation.ended(tokenizer.encode(rated.text(), true), rated.text());
      return Optional.of(new ScoredCompletion(new int[0], head(ids, maxLength), rated.score()));
    }
    if (!(row instanceof Row.Scored scored)) {
      throw unfit(row, "reward regression");
    }
    return fitting(pair(scored.prompt(), scored.completion()))
        .map(pair -> new ScoredCompletion(pair.prompt(), pair.completion(), scored.score()));
  }

  /** A judged answer; of a preference both: the chosen one is desirable, the other is not. */
  public List<JudgedCompletion> judged(Row row) {
    if (row instanceof Row.Judged judged) {
      return judged(judged.prompt(), judged.completion(), judged.desirable()).stream().toList();
    }
    if (row instanceof Row.Preference preference) {
      return Stream.of(
              judged(preference.prompt(), preference.chosen(), true),
              judged(preference.prompt(), preference.rejected(), false))
          .flatMap(Optional::stream)
          .toList();
    }
    throw unfit(row, "training from thumbs");
  }

  private Optional<JudgedCompletion> judged(Content prompt, Content completion, boolean desirable) {
    return fitting(pair(prompt, completion))
        .map(pair -> new JudgedCompletion(pair.prompt(), pair.completion(), desirable));
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
      List<ChatMessage> before =
          conversation.messages().subList(0, conversation.messages().size() - 1);
      ChatTemplate chat = template(conversation.messages());
      return tokenizer.encode(chat.render(before, conversation.tools(), true).text(), false);
    }
    if (row instanceof Row.Instruction instruction) {
      return template.isPresent()
          ? prompt(new Content.Messages(question(instruction)))
          : tokenizer.encode(alpaca(instruction), true);
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
    return pair(alpaca(row), row.output(), true);
  }

  private String alpaca(Row.Instruction row) {
    if (!row.before().isEmpty()) {
      template(row.before()); // Alpaca's prompt has no place for other turns
    }
    return Alpaca.prompt(row);
  }

  private static List<ChatMessage> question(Row.Instruction row) {
    List<ChatMessage> turns = new ArrayList<>(row.before());
    String content =
        row.input().isEmpty() ? row.instruction() : row.instruction() + "\n" + row.input();
    turns.add(new ChatMessage("user", content));
    return turns;
  }

  private Pair chatPair(List<ChatMessage> prompt, List<ChatMessage> completion) {
    List<ChatMessage> all = new ArrayList<>(prompt);
    all.addAll(completion);
    String before = template(all).render(prompt, true);
    String full = template(all).render(all, false);
    return pair(before, Continuation.rest(full, before), false);
  }

  private Pair pair(String prompt, String completion, boolean addSpecialTokens) {
    int[] promptIds = tokenizer.encode(prompt, addSpecialTokens);
    int[] ids = continuation.append(promptIds, prompt, completion, addSpecialTokens);
    int[] completionIds = Arrays.copyOfRange(ids, promptIds.length, ids.length);
    return new Pair(promptIds, continuation.ended(completionIds, completion));
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

  private SftExample joined(Pair pair) {
    return SftExample.completion(
        Continuation.concatenate(pair.prompt(), pair.completion()),
        options.completionOnlyLoss() ? pair.prompt().length : 0);
  }

  private Optional<SftExample> cut(SftExample whole) {
    int length = Math.min(maxLength, whole.inputIds().length);
    int from = keepsEnd() ? whole.inputIds().length - length : 0;
    SftExample cut =
        new SftExample(
            Arrays.copyOfRange(whole.inputIds(), from, from + length),
            Arrays.copyOfRange(whole.targets(), from, from + length));
    // The first token is never predicted.
    for (int i = 1; i < length; i++) {
      if (cut.targets()[i]) {
        return Optional.of(cut);
      }
    }
    return Optional.empty();
  }

  private boolean keepsEnd() {
    return options.truncationMode() == TruncationMode.KEEP_END;
  }

  /** A prompt as it is, or its end, so that a completion fits; one token is left in any case. */
  private int[] fitting(int[] prompt, int completion) {
    int room = Math.max(1, maxLength - completion);
    return !keepsEnd() || prompt.length <= room
        ? prompt
        : Arrays.copyOfRange(prompt, prompt.length - room, prompt.length);
  }

  private Optional<Pair> fitting(Pair pair) {
    int[] prompt = fitting(pair.prompt(), pair.completion().length);
    int room = maxLength - prompt.length;
    return room <= 0
        ? Optional.empty()
        : Optional.of(new Pair(prompt, head(pair.completion(), room)));
  }

  private static int[] head(int[] ids, int length) {
    return ids.length <= length ? ids : Arrays.copyOf(ids, length);
  }

  static EngineException unfit(Row row, String purpose) {
    return new EngineException(
        Reason.INVALID_ARGUMENT,
        "a row of shape " + row.getClass().getSimpleName() + " does not serve " + purpose);
  }
}
