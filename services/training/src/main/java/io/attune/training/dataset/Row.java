package io.attune.training.dataset;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;

/** A row of training data, and the ratings that it was made of. */
public sealed interface Row {
  /** What was asked: text, or an array of turns. */
  JsonNode prompt();

  /** The ratings behind the row, in no particular order. */
  List<String> ratingIds();

  /** The row as the engine reads it. */
  ObjectNode toJson();

  /** An answer with its mean score. */
  record Scored(JsonNode prompt, String completion, double score, List<String> ratingIds)
      implements Row {
    @Override
    public ObjectNode toJson() {
      return start(prompt).put("score", score).set("completion", turn(prompt, completion));
    }
  }

  /** Two answers to one prompt, the better one first. */
  record Pair(JsonNode prompt, String chosen, String rejected, List<String> ratingIds)
      implements Row {
    @Override
    public ObjectNode toJson() {
      ObjectNode json = start(prompt);
      json.set("chosen", turn(prompt, chosen));
      json.set("rejected", turn(prompt, rejected));
      return json;
    }
  }

  /** An answer to imitate. */
  record Supervised(JsonNode prompt, String completion, List<String> ratingIds) implements Row {
    @Override
    public ObjectNode toJson() {
      return start(prompt).set("completion", turn(prompt, completion));
    }
  }

  private static ObjectNode start(JsonNode prompt) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.set("prompt", prompt);
    return json;
  }

  /** An answer to a conversation is a turn of it; an answer to plain text is its continuation. */
  private static JsonNode turn(JsonNode prompt, String completion) {
    JsonNodeFactory json = JsonNodeFactory.instance;
    if (prompt.isTextual()) {
      return json.textNode(completion);
    }
    return json.arrayNode()
        .add(json.objectNode().put("role", "assistant").put("content", completion));
  }
}
