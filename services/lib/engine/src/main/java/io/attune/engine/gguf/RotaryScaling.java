package io.attune.engine.gguf;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.checkpoint.JsonFiles;
import io.attune.engine.checkpoint.TensorType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;
import java.util.Set;

/** How a model's rotary positions are stretched, as {@code rope_scaling} of {@code config.json}. */
final class RotaryScaling {
  /** Keys after the architecture's prefix that are read here, or only tell the model's history. */
  static final Set<String> KNOWN =
      Set.of(
          "rope.scaling.type",
          "rope.scaling.factor",
          "rope.scaling.original_context_length",
          "rope.scaling.finetuned",
          "rope.scale_linear");

  /** Divisors of the rotary frequencies, [D/2]: Llama 3's scaling worked out. */
  static final String FACTORS = "rope_freqs.weight";

  // Meta's settings, the same in every Llama 3.x; only the factor differs.
  private static final double LOW = 1;
  private static final double HIGH = 4;
  private static final int ORIGINAL_POSITIONS = 8192;

  private RotaryScaling() {}

  /** Empty for plain rotary positions; refuses what transformers has no setting for. */
  static Optional<ObjectNode> read(GgufFile file, ModelShape shape) {
    GgufMetadata metadata = file.metadata();
    String prefix = shape.family().architecture() + ".";
    double factor =
        metadata
            .number(prefix + "rope.scaling.factor")
            .orElse(metadata.number(prefix + "rope.scale_linear").orElse(1));
    String type = metadata.text(prefix + "rope.scaling.type").orElse("linear");
    GgufTensor factors = file.tensors().get(FACTORS);
    if (factors != null) {
      if (factor != 1 && !type.equals("none")) {
        throw metadata.unsupported(
            prefix + "rope.scaling.factor", "is there beside the tensor '" + FACTORS + "'");
      }
      return llama3(file, shape, factors);
    }
    if (factor == 1 || type.equals("none")) {
      return Optional.empty();
    }
    if (!(factor > 1 && factor < 1e6)) {
      throw metadata.corrupt(prefix + "rope.scaling.factor", "is " + factor);
    }
    ObjectNode scaling = JsonFiles.newObject();
    switch (type) {
      case "linear" -> scaling.put("rope_type", "linear").put("factor", factor);
      case "yarn" ->
          scaling
              .put("rope_type", "yarn")
              .put("factor", factor)
              .put(
                  "original_max_position_embeddings",
                  metadata.required(prefix + "rope.scaling.original_context_length"));
      default ->
          throw metadata.unsupported(
              prefix + "rope.scaling.type",
              "is '" + type + "'; linear and yarn scaling can be imported");
    }
    return Optional.of(scaling);
  }

  /**
   * The settings behind the divisors. They are worked out anew from the settings found and
   * compared, so that a file with others is refused instead of computed wrongly.
   */
  private static Optional<ObjectNode> llama3(GgufFile file, ModelShape shape, GgufTensor factors) {
    int half = shape.headSize() / 2;
    if (factors.elements() != half || shape.family() != ModelFamily.LLAMA) {
      throw refused(file, "has " + factors.elements() + " numbers, of which " + half + " have use");
    }
    float[] divisors = values(file, factors);
    double factor = 1;
    for (float divisor : divisors) {
      factor = Math.max(factor, divisor);
    }
    for (int i = 0; i < half; i++) {
      double wavelength = 2 * Math.PI * Math.pow(shape.ropeTheta(), 2.0 * i / shape.headSize());
      double smooth = (ORIGINAL_POSITIONS / wavelength - LOW) / (HIGH - LOW);
      double expected = 1 / (Math.max(0, Math.min(1, smooth)) * (1 - 1 / factor) + 1 / factor);
      if (!(Math.abs(divisors[i] - expected) <= 1e-4 * expected)) {
        throw refused(
            file,
            "has "
                + divisors[i]
                + " at index "
                + i
                + ", where Llama 3's scaling by "
                + factor
                + " has "
                + (float) expected);
      }
    }
    if (factor == 1) {
      return Optional.empty();
    }
    ObjectNode scaling = JsonFiles.newObject();
    scaling.put("rope_type", "llama3");
    scaling.put("factor", factor);
    scaling.put("low_freq_factor", LOW);
    scaling.put("high_freq_factor", HIGH);
    scaling.put("original_max_position_embeddings", ORIGINAL_POSITIONS);
    return Optional.of(scaling);
  }

  private static float[] values(GgufFile file, GgufTensor tensor) {
    float[] values = new float[(int) tensor.elements()];
    int at = 0;
    for (ByteBuffer piece : TensorValues.of(file, tensor, TensorType.F32)) {
      int count = piece.remaining() / Float.BYTES;
      piece.order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values, at, count);
      at += count;
    }
    return values;
  }

  private static EngineException refused(GgufFile file, String what) {
    return new EngineException(
        Reason.UNSUPPORTED,
        file.source() + ": tensor '" + FACTORS + "' " + what + "; it cannot be imported");
  }
}
