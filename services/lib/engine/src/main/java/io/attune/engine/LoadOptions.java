package io.attune.engine;

import io.attune.engine.EngineException.Reason;
import io.attune.engine.checkpoint.TensorType;
import io.attune.engine.quant.Quantizer;
import org.jspecify.annotations.Nullable;

/**
 * How a model is loaded.
 *
 * @param threads threads of the process's one libtorch; 0 leaves them as they are
 * @param writable whether weights are copied so that training may change them; else they stay
 *     mapped files
 * @param type what weights are held and multiplied in: F32, or BF16 to write texts in half the
 *     memory
 * @param quantizer holds the weights of linear layers in few bits; null leaves them as they are
 */
public record LoadOptions(
    int threads, boolean writable, TensorType type, @Nullable Quantizer quantizer) {
  public LoadOptions {
    if (type != TensorType.F32 && (type != TensorType.BF16 || writable)) {
      throw new EngineException(
          Reason.INVALID_ARGUMENT,
          "models compute in float32, or in bfloat16 where they are not trained; not in " + type);
    }
    if (quantizer != null && (writable || type != TensorType.F32)) {
      throw new EngineException(
          Reason.INVALID_ARGUMENT,
          "quantized weights are frozen and computed with in float32: they are not trained, and not"
              + " loaded as bfloat16");
    }
  }

  public LoadOptions(int threads, boolean writable, TensorType type) {
    this(threads, writable, type, null);
  }

  public LoadOptions(int threads, boolean writable) {
    this(threads, writable, TensorType.F32);
  }

  public static LoadOptions defaults() {
    return new LoadOptions(0, false);
  }

  public LoadOptions withThreads(int count) {
    return new LoadOptions(count, writable, type, quantizer);
  }

  public LoadOptions withQuantizer(@Nullable Quantizer other) {
    return new LoadOptions(threads, writable, type, other);
  }

  /**
   * @param dtype as transformers names it: {@code float32} or {@code bfloat16}
   */
  public LoadOptions withDtype(String dtype) {
    return withType(
        TensorType.named(dtype)
            .orElseThrow(
                () ->
                    new EngineException(
                        Reason.INVALID_ARGUMENT,
                        "dtype is '" + dtype + "'; models compute in float32 or bfloat16")));
  }

  public LoadOptions withType(TensorType other) {
    return new LoadOptions(threads, writable, other, quantizer);
  }
}
