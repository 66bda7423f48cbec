package io.attune.engine.model;

import io.attune.engine.nn.RotaryEmbedding;
import io.attune.engine.nn.RotaryFrequencies;
import java.util.List;

/**
 * Reads what a {@code config.json} says about rotary positions, in the spelling of transformers 4
 * ({@code rope_theta}, {@code rope_scaling}) and 5 ({@code rope_parameters}).
 */
final class RotaryReader {
  private final ConfigReader in;
  private final int maxPositions;

  /** The length that the model was first trained for, where the scaling itself does not say. */
  private final int originalAbsent;

  /**
   * @param context tokens of the longest text that the positions are made for
   */
  record Rotary(RotaryEmbedding embedding, int context) {}

  RotaryReader(ConfigReader in, int maxPositions, int originalAbsent) {
    this.in = in;
    this.maxPositions = maxPositions;
    this.originalAbsent = originalAbsent;
  }

  /**
   * @param phi3 whether a part of a head may be rotated, and LongRoPE go by its early names
   */
  Rotary read(int headSize, boolean phi3) {
    double theta = in.number("rope_theta", 10000);
    double part = phi3 ? in.number("partial_rotary_factor", 1) : 1;
    ConfigReader rope = in.has("rope_parameters") ? in.object("rope_parameters") : null;
    if (in.has("rope_scaling")) {
      rope = in.object("rope_scaling");
    }
    if (rope == null) {
      int size = size(headSize, part);
      return plain(size, theta);
    }
    theta = rope.number("rope_theta", theta);
    part = phi3 ? rope.number("partial_rotary_factor", part) : 1;
    int size = size(headSize, part);
    // Early transformers 4 wrote "type", later releases both.
    String type = rope.text("rope_type", rope.text("type", "default"));
    rope.text("type", type);
    if (phi3 && (type.equals("su") || type.equals("yarn"))) {
      type = "longrope";
    }
    Rotary rotary =
        switch (type) {
          case "default" -> plain(size, theta);
          case "linear" ->
              rotary(size, RotaryFrequencies.linear(size, theta, rope.number("factor")), 1);
          case "dynamic" -> dynamic(rope, size, theta);
          case "llama3" ->
              rotary(
                  size,
                  RotaryFrequencies.llama3(
                      size,
                      theta,
                      rope.number("factor"),
                      rope.number("low_freq_factor"),
                      rope.number("high_freq_factor"),
                      original(rope)),
                  1);
          case "yarn" -> yarn(rope, size, theta);
          case "longrope" -> longrope(rope, size, theta);
          default ->
              throw rope.unsupported(
                  "rope_type",
                  type,
                  "implemented are default, linear, dynamic, llama3, yarn and longrope");
        };
    rope.finish();
    return rotary;
  }

  private int size(int headSize, double part) {
    int size = (int) (headSize * part);
    if (size % 2 != 0 || size < 2 || size > headSize) {
      throw in.malformed(
          part == 1 ? "head_dim" : "partial_rotary_factor",
          "leaves " + size + " elements of a head to rotate; rotary positions need pairs");
    }
    return size;
  }

  private Rotary plain(int size, double theta) {
    return rotary(size, new RotaryFrequencies.Fixed(RotaryFrequencies.plain(size, theta)), 1);
  }

  private Rotary rotary(int size, RotaryFrequencies frequencies, double attentionFactor) {
    return new Rotary(new RotaryEmbedding(size, frequencies, attentionFactor), maxPositions);
  }

  private Rotary dynamic(ConfigReader rope, int size, double theta) {
    double factor = rope.number("factor");
    rope.has("original_max_position_embeddings"); // the reference takes max_position_embeddings
    if (size == 2) {
      throw in.malformed("head_dim", "is 2; dynamic scaling needs more than one pair");
    }
    RotaryEmbedding embedding =
        new RotaryEmbedding(
            size, new RotaryFrequencies.Dynamic(size, theta, factor, maxPositions), 1);
    return new Rotary(embedding, (int) Math.max(maxPositions, factor * maxPositions));
  }

  private Rotary yarn(ConfigReader rope, int size, double theta) {
    double original = original(rope);
    double factor = rope.number("factor", maxPositions / original);
    double attentionFactor = magnitude(factor, 1);
    double scale = rope.number("mscale", 0);
    double scaleOfAll = rope.number("mscale_all_dim", 0);
    if (scale != 0 && scaleOfAll != 0) {
      attentionFactor = magnitude(factor, scale) / magnitude(factor, scaleOfAll);
    }
    double fast = rope.number("beta_fast", 32);
    double slow = rope.number("beta_slow", 1);
    RotaryFrequencies.Fixed values =
        RotaryFrequencies.yarn(
            size, theta, factor, fast, slow, original, rope.flag("truncate", true));
    RotaryEmbedding embedding =
        new RotaryEmbedding(size, values, rope.number("attention_factor", attentionFactor));
    return new Rotary(embedding, (int) Math.max(maxPositions, factor * original));
  }

  /** YaRN's growth of what is rotated with the factor. */
  private static double magnitude(double factor, double scale) {
    return factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1;
  }

  private Rotary longrope(ConfigReader rope, int size, double theta) {
    int original = original(rope);
    double factor = rope.number("factor", (double) maxPositions / original);
    double attentionFactor = factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(original));
    RotaryFrequencies.LongRope values =
        RotaryFrequencies.longrope(
            size,
            theta,
            factors(rope, "short_factor", size),
            factors(rope, "long_factor", size),
            original);
    return rotary(size, values, rope.number("attention_factor", attentionFactor));
  }

  private static List<Double> factors(ConfigReader rope, String key, int size) {
    List<Double> factors = rope.numbers(key);
    if (factors.size() != size / 2) {
      throw rope.malformed(
          key, "holds " + factors.size() + " numbers; the head has " + size / 2 + " pairs");
    }
    return factors;
  }

  /** Beside the scaling (Phi-3), inside it, or not said. */
  private int original(ConfigReader rope) {
    String key = "original_max_position_embeddings";
    int inside = rope.size(key, originalAbsent);
    return in.size(key, inside);
  }
}
