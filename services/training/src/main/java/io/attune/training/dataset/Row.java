package io.attune.training.dataset;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;

/** A row of training data, and the ratings that it was made of. */
public sealed interface Row {
  /** Weights and margins are written to six decimals; a weight stays above 0. */
  double SMALLEST = 1e-6;

  /** What was asked: text, or an array of turns. */
  JsonNode prompt();

  /** The ratings behind the row, in no particular order. */
  List<String> ratingIds();

  /** The row as the engine reads it. */
  ObjectNode toJson();

  /** How much the row counts; 1 on average. */
  double weight();

  /** The same row with another weight. */
  Row withWeight(double weight);

  /** An answer with its mean score. */
  record Scored(
      JsonNode prompt, String completion, double score, double weight, List<String> ratingIds)
      implements Row {
    public Scored(JsonNode prompt, String completion, double score, List<String> ratingIds) {
      this(prompt, completion, score, 1, ratingIds);
    }

    @Override
    public Scored withWeight(double other) {
      return new Scored(prompt, completion, score, other, ratingIds);
    }

    @Override
    public ObjectNode toJson() {
      ObjectNode json = start(prompt, weight).put("score", score);
      return json.set("completion", turn(prompt, completion));
    }
  }

  /**
   * Two answers to one prompt, the better one first.
   *
   * @param margin by how much a reward model should tell them apart; 0 where nothing is known of it
   */
  record Pair(
      JsonNode prompt,
      String chosen,
      String rejected,
      double margin,
      double weight,
      List<String> ratingIds)
      implements Row {
    public Pair(JsonNode prompt, String chosen, String rejected, List<String> ratingIds) {
      this(prompt, chosen, rejected, 0, 1, ratingIds);
    }

    @Override
    public Pair withWeight(double other) {
      return new Pair(prompt, chosen, rejected, margin, other, ratingIds);
    }

    @Override
    public ObjectNode toJson() {
      ObjectNode json = start(prompt, weight);
      json.set("chosen", turn(prompt, chosen));
      json.set("rejected", turn(prompt, rejected));
      return margin == 0 ? json : json.put("margin", rounded(margin));
    }
  }

  /** An answer to imitate. */
  record Supervised(JsonNode prompt, String completion, double weight, List<String> ratingIds)
      implements Row {
    @Override
    public Supervised withWeight(double other) {
      return new Supervised(prompt, completion, other, ratingIds);
    }

    @Override
    public ObjectNode toJson() {
      return start(prompt, weight).set("completion", turn(prompt, completion));
    }
  }

  /**
   * An answer with a judgement.
   *
   * @param desirable whether it is one to make likelier
   */
  record Judged(
      JsonNode prompt, String completion, boolean desirable, double weight, List<String> ratingIds)
      implements Row {
    @Override
    public Judged withWeight(double other) {
      return new Judged(prompt, completion, desirable, other, ratingIds);
    }

    @Override
    public ObjectNode toJson() {
      ObjectNode json = start(prompt, weight).put("label", desirable);
      return json.set("completion", turn(prompt, completion));
    }
  }

  /** A prompt to answer. */
  record Prompt(JsonNode prompt, List<String> ratingIds) implements Row {
    @Override
    public double weight() {
      return 1;
    }

    @Override
    public Prompt withWeight(double other) {
      return this;
    }

    @Override
    public ObjectNode toJson() {
      return start(prompt, 1);
    }
  }

  private static ObjectNode start(JsonNode prompt, double weight) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.set("prompt", prompt);
    double written = rounded(weight);
    return written == 1 ? json : json.put("weight", Math.max(written, SMALLEST));
  }

  private static double rounded(double value) {
    return Math.round(value / SMALLEST) * SMALLEST;
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
