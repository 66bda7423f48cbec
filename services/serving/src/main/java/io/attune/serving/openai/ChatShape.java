package io.attune.serving.openai;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.serving.generate.Answer;
import io.attune.serving.generate.Head;
import io.attune.serving.generate.Token;
import io.attune.serving.generate.TokenText;
import java.time.Instant;
import java.util.List;
import java.util.function.IntFunction;

/** The JSON of {@code /v1/chat/completions}. */
final class ChatShape extends Shape {

  ChatShape(boolean logprobs, Instant created, IntFunction<TokenText> vocabulary) {
    super("chatcmpl-", logprobs, created, vocabulary);
  }

  /** The first piece of a choice, which says who speaks. */
  ObjectNode role(Head head, int index) {
    ObjectNode body = envelope(head, pieceName());
    ObjectNode choice = choice(body.putArray("choices").addObject(), index, head);
    choice.putObject("delta").put("role", "assistant").put("content", "");
    choice.putNull("logprobs").putNull("finish_reason");
    return body;
  }

  @Override
  String wholeName() {
    return "chat.completion";
  }

  @Override
  String pieceName() {
    return "chat.completion.chunk";
  }

  @Override
  void putWhole(ObjectNode choice, Answer answer) {
    choice
        .putObject("message")
        .put("role", "assistant")
        .put("content", answer.completion())
        .putNull("refusal");
  }

  @Override
  void putPiece(ObjectNode choice, String text) {
    choice.putObject("delta").put("content", text);
  }

  @Override
  void putEnd(ObjectNode choice) {
    choice.putObject("delta");
  }

  @Override
  ObjectNode logprobs(List<Token> tokens, int offset) {
    ObjectNode all = JSON.objectNode();
    var content = all.putArray("content");
    for (Token token : tokens) {
      ObjectNode one = put(content.addObject(), token.id(), token.logProbability());
      var top = one.putArray("top_logprobs");
      for (Token.Likely likely : token.top()) {
        put(top.addObject(), likely.id(), likely.logProbability());
      }
    }
    all.putNull("refusal");
    return all;
  }

  private ObjectNode put(ObjectNode json, int id, float logProbability) {
    TokenText token = tokenText(id);
    json.put("token", token.text()).put("logprob", logProbability);
    if (token.bytes().length == 0) {
      return json.putNull("bytes");
    }
    var bytes = json.putArray("bytes");
    for (byte b : token.bytes()) {
      bytes.add(b & 0xFF);
    }
    return json;
  }
}
