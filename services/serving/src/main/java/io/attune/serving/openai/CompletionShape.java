package io.attune.serving.openai;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.serving.generate.Answer;
import io.attune.serving.generate.Token;
import java.time.Instant;
import java.util.List;

/** The JSON of {@code /v1/completions}. */
final class CompletionShape extends Shape {

  CompletionShape(boolean logprobs, Instant created) {
    super("cmpl-", logprobs, created);
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
    var offsets = all.putArray("text_offset");
    int at = offset;
    for (Token token : tokens) {
      texts.add(token.text());
      values.add(token.logProbability());
      offsets.add(at);
      at += token.text().length();
    }
    all.putNull("top_logprobs");
    return all;
  }
}
