package io.attune.serving.openai;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.serving.generate.Answer;
import io.attune.serving.generate.Token;
import io.attune.serving.generate.TokenText;
import java.time.Instant;
import java.util.List;
import java.util.function.IntFunction;

/** The JSON of {@code /v1/completions}. */
final class CompletionShape extends Shape {

  CompletionShape(boolean logprobs, Instant created, IntFunction<TokenText> vocabulary) {
    super("cmpl-", logprobs, created, vocabulary);
  }

  @Override
  String wholeName() {
    return "text_completion";
  }

  @Override
  String pieceName() {
    return "text_completion";
  }

  @Override
  void putWhole(ObjectNode choice, Answer answer) {
    choice.put("text", answer.completion());
  }

  @Override
  void putPiece(ObjectNode choice, String text) {
    choice.put("text", text);
  }

  @Override
  void putEnd(ObjectNode choice) {
    choice.put("text", "");
  }

  @Override
  ObjectNode logprobs(List<Token> tokens, int offset) {
    ObjectNode all = JSON.objectNode();
    var texts = all.putArray("tokens");
    var values = all.putArray("token_logprobs");
    var tops = all.putArray("top_logprobs");
    var offsets = all.putArray("text_offset");
    int at = offset;
    for (Token token : tokens) {
      TokenText own = tokenText(token.id());
      texts.add(own.text());
      values.add(token.logProbability());
      putTop(tops, token, own);
      boolean within = own.bytes().length > 0 && continues(own.bytes()[0]);
      offsets.add(within ? at - 1 : at);
      at += characters(token);
    }
    return all;
  }

  /** The likeliest and the chosen one, which need not be among them. */
  private void putTop(ArrayNode tops, Token token, TokenText own) {
    if (token.top().isEmpty()) {
      tops.addNull();
      return;
    }
    ObjectNode top = tops.addObject();
    token.top().forEach(likely -> top.put(tokenText(likely.id()).text(), likely.logProbability()));
    top.put(own.text(), token.logProbability());
  }
}
