package io.attune.serving.openai;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.serving.generate.Answer;
import io.attune.serving.generate.Head;
import io.attune.serving.generate.Token;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;

/** The JSON of {@code /v1/chat/completions}. */
final class ChatShape extends Shape {

  ChatShape(boolean logprobs, Instant created) {
    super("chatcmpl-", logprobs, created);
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
      ObjectNode one = content.addObject();
      one.put("token", token.text()).put("logprob", token.logProbability());
      var bytes = one.putArray("bytes");
      for (byte b : token.text().getBytes(StandardCharsets.UTF_8)) {
        bytes.add(b & 0xFF);
      }
      one.putArray("top_logprobs");
    }
    all.putNull("refusal");
    return all;
  }
}
