package io.attune.engine.adapter;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.checkpoint.TensorData;
import io.attune.engine.nn.Seams;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** A trained part beside frozen weights. Owns the memory of its own weights. */
public interface Adapter extends AutoCloseable {

  /**
   * Wraps the ways in which a model's parts are computed; the wrapped ones alone are the model
   * without adapter.
   *
   * @param training whether dropout applies, and weights may change between calls
   */
  Seams wrap(Seams inner, boolean training);

  /**
   * As {@link #wrap(Seams, boolean)}, with or without dropout in training.
   *
   * @param dropout false computes what the weights say, while they may change between calls
   */
  default Seams wrap(Seams inner, boolean training, boolean dropout) {
    return wrap(inner, training && dropout); // that is all that training means to most
  }

  /**
   * Ids of the virtual tokens that come before every text: from the vocabulary's size up; empty for
   * adapters without any.
   */
  default int[] virtualTokens() {
    return new int[0];
  }

  /**
   * How many of the virtual tokens are a prompt, for which the reference implementation gives
   * logits too; those of a prefix have none.
   */
  default int promptLength() {
    return 0;
  }

  /**
   * A weight that the adapter brings or replaces, by the name that {@link #wrap}'s code or the base
   * model uses for it; null for all others.
   */
  @Nullable NDArray weight(String name);

  /** What is trained, by name, in a fixed order. */
  Map<String, NDArray> parameters();

  /**
   * Base weights with the adapter folded in: those that change, by name. Refuses an adapter that
   * cannot be merged.
   *
   * @param base weights of the base model by name
   * @param scope owns the result
   */
  Map<String, NDArray> merged(Function<String, NDArray> base, NDManager scope);

  /**
   * The way back, within rounding: layers without what {@link #merged} folded into them. Weights
   * that the adapter replaces whole are not among them.
   *
   * @param merged merged weights by name
   * @param scope owns the result
   */
  Map<String, NDArray> unmerged(Function<String, NDArray> merged, NDManager scope);

  /** {@code adapter_config.json}, with keys kept that this version does not know. */
  ObjectNode config();

  /** {@code adapter_model.safetensors}, under PEFT's names. */
  List<TensorData> tensors();

  @Override
  void close();
}
