package io.attune.engine;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.checkpoint.AdapterFiles;
import io.attune.engine.checkpoint.JsonFiles;
import io.attune.engine.checkpoint.ModelFiles;
import io.attune.engine.objective.RewardLevels;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the numbers of a reward model mean: {@code reward} of {@code attune.json}.
 *
 * @param mean of the scores of the rows that it was trained on
 * @param std their standard deviation
 * @param levels of an ordinal model, from whose logits a score is made; null where the one logit is
 *     the score
 */
public record RewardScale(double mean, double std, @Nullable RewardLevels levels) {
  private static final String KEY = "reward";
  private static final long MAX_BYTES = 4L << 20;

  /** Of a model that says nothing of itself. */
  static final RewardScale UNKNOWN = new RewardScale(0, 1, null);

  /** Of the scores of training rows, at least one. */
  static RewardScale of(double[] scores, @Nullable RewardLevels levels) {
    double mean = 0;
    double squares = 0; // Welford: sums of squares would cancel
    for (int i = 0; i < scores.length; i++) {
      double off = scores[i] - mean;
      mean += off / (i + 1);
      squares += off * (scores[i] - mean);
    }
    return new RewardScale(mean, Math.sqrt(squares / scores.length), levels);
  }

  /** The score that logits stand for. */
  double score(double[] logits) {
    return levels == null ? logits[0] : levels.expected(logits);
  }

  /** How many logits the head gives. */
  int logits() {
    return levels == null ? 1 : levels.logits();
  }

  /**
   * A score in units of the training rows' standard deviation, from their mean; 0 where they did
   * not vary.
   */
  public double normalised(double score) {
    return std == 0 ? 0 : (score - mean) / std;
  }

  void write(ObjectNode attune) {
    ObjectNode json = attune.putObject(KEY);
    json.put("mean", mean);
    json.put("std", std);
    if (levels != null) {
      levels.values().forEach(json.putArray("levels")::add);
    }
  }

  /** As a folder says it; {@link #UNKNOWN} where it says nothing. Refuses what cannot be. */
  static RewardScale read(Path folder) {
    return ModelFiles.find(folder, AdapterFiles.ATTUNE)
        .map(path -> read(JsonFiles.readObject(path, MAX_BYTES), path.toString()))
        .orElse(UNKNOWN);
  }

  private static RewardScale read(ObjectNode attune, String where) {
    JsonNode json = attune.path(KEY);
    if (json.isMissingNode()) {
      return UNKNOWN;
    }
    if (!json.isObject()) {
      throw corrupt(where, "'reward' is " + json.getNodeType() + ", not an object", null);
    }
    double std = number(json, "std", where);
    if (std < 0) {
      throw corrupt(where, "'std' is " + std + ", below 0", null);
    }
    return new RewardScale(number(json, "mean", where), std, levels(json, where));
  }

  private static double number(JsonNode json, String key, String where) {
    JsonNode value = json.path(key);
    if (!value.isNumber() || !Double.isFinite(value.doubleValue())) {
      throw corrupt(where, "'" + key + "' is " + value + ", not a finite number", null);
    }
    return value.doubleValue();
  }

  private static @Nullable RewardLevels levels(JsonNode json, String where) {
    if (!json.has("levels")) {
      return null;
    }
    List<Double> values = new ArrayList<>();
    for (JsonNode value : json.get("levels")) {
      values.add(value.isNumber() ? value.doubleValue() : Double.NaN);
    }
    try {
      return new RewardLevels(values);
    } catch (IllegalArgumentException e) {
      throw corrupt(where, e.getMessage(), e);
    }
  }

  private static EngineException corrupt(String where, String what, @Nullable Throwable cause) {
    return new EngineException(
        Reason.CORRUPT, where + ": 'reward': " + what + "; train the model again", cause);
  }
}
