package io.attune.serving.openai;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.platform.line.LineVersion;
import io.attune.serving.generate.Answer;
import io.attune.serving.generate.Finish;
import io.attune.serving.generate.Head;
import io.attune.serving.generate.Token;
import io.attune.serving.generate.TokenText;
import java.time.Instant;
import java.util.List;
import java.util.function.IntFunction;

/**
 * The JSON of an answer, whole or in pieces. What chat and plain completions have in common is
 * here; each has a file for the rest.
 */
abstract class Shape {

  static final JsonNodeFactory JSON = JsonNodeFactory.instance;

  private final String idPrefix;
  private final boolean logprobs;
  private final Instant created;
  private final IntFunction<TokenText> vocabulary;

  /**
   * @param vocabulary what a token stands for
   */
  Shape(String idPrefix, boolean logprobs, Instant created, IntFunction<TokenText> vocabulary) {
    this.idPrefix = idPrefix;
    this.logprobs = logprobs;
    this.created = created;
    this.vocabulary = vocabulary;
  }

  final TokenText tokenText(int id) {
    return vocabulary.apply(id);
  }

  /** How many characters begin in a token; not counted where no log-probabilities are told. */
  final int characters(Token token) {
    int count = 0;
    if (logprobs) {
      for (byte b : tokenText(token.id()).bytes()) {
        count += continues(b) ? 0 : 1;
      }
    }
    return count;
  }

  /** Whether a byte of UTF-8 is not the first one of its character. */
  static boolean continues(byte b) {
    return (b & 0xC0) == 0x80;
  }

  /** A whole response with a choice for each answer. All answers are of one call. */
  final ObjectNode whole(List<Answer> answers) {
    ObjectNode body = envelope(answers.get(0).head(), wholeName());
    var choices = body.putArray("choices");
    for (int i = 0; i < answers.size(); i++) {
      Answer answer = answers.get(i);
      ObjectNode choice = choice(choices.addObject(), i, answer.head());
      putWhole(choice, answer);
      choice.set("logprobs", logprobs ? logprobs(answer.tokens(), 0) : JSON.nullNode());
      choice.put("finish_reason", finishReason(answer.finish()));
    }
    body.set("usage", usage(answers));
    return body;
  }

  /**
   * The piece of a stream that one token adds; {@code offset} is how many characters begin before
   * it.
   */
  final ObjectNode piece(Head head, int index, Token token, int offset) {
    ObjectNode body = envelope(head, pieceName());
    ObjectNode choice = choice(body.putArray("choices").addObject(), index, head);
    putPiece(choice, token.text());
    choice.set("logprobs", logprobs ? logprobs(List.of(token), offset) : JSON.nullNode());
    choice.putNull("finish_reason");
    return body;
  }

  /** The piece that says why a choice ended. */
  final ObjectNode end(Answer answer, int index) {
    ObjectNode body = envelope(answer.head(), pieceName());
    ObjectNode choice = choice(body.putArray("choices").addObject(), index, answer.head());
    putEnd(choice);
    choice.putNull("logprobs");
    choice.put("finish_reason", finishReason(answer.finish()));
    return body;
  }

  /** The last piece of a stream whose caller asked for it. */
  final ObjectNode usagePiece(List<Answer> answers) {
    ObjectNode body = envelope(answers.get(0).head(), pieceName());
    body.putArray("choices");
    body.set("usage", usage(answers));
    return body;
  }

  abstract String wholeName();

  abstract String pieceName();

  abstract void putWhole(ObjectNode choice, Answer answer);

  abstract void putPiece(ObjectNode choice, String text);

  abstract void putEnd(ObjectNode choice);

  /**
   * @param offset how many characters of the answer begin before these tokens
   */
  abstract ObjectNode logprobs(List<Token> tokens, int offset);

  final ObjectNode envelope(Head head, String object) {
    return JSON.objectNode()
        .put("id", idPrefix + head.generationId())
        .put("object", object)
        .put("created", created.getEpochSecond())
        .put("model", head.model())
        .put("system_fingerprint", fingerprint(head.adapter()))
        .put("attune_generation_id", head.generationId())
        .put("attune_conversation_id", head.conversationId())
        .put("attune_adapter_version", head.adapter().toString());
  }

  static ObjectNode choice(ObjectNode choice, int index, Head head) {
    return choice.put("index", index).put("attune_generation_id", head.generationId());
  }

  /** Names exactly what answered, for example {@code assistant@3-0f3a9c51e2b4}. */
  static String fingerprint(LineVersion version) {
    String digest = version.sha256();
    return digest.isEmpty()
        ? version.toString()
        : version + "-" + digest.substring(0, Math.min(12, digest.length()));
  }

  private static ObjectNode usage(List<Answer> answers) {
    int prompt = answers.get(0).promptIds().length;
    int completion = answers.stream().mapToInt(answer -> answer.tokens().size()).sum();
    return JSON.objectNode()
        .put("prompt_tokens", prompt)
        .put("completion_tokens", completion)
        .put("total_tokens", prompt + completion);
  }

  private static String finishReason(Finish finish) {
    return switch (finish) {
      case STOP -> "stop";
      case LENGTH -> "length";
    };
  }
}
