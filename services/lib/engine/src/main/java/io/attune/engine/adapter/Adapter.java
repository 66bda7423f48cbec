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
   * @param training whether dropout applies
   */
  Seams wrap(Seams inner, boolean training);

  /**
   * Ids of the virtual tokens that come before every text: from the vocabulary's size up; empty for
   * adapters without any.
   */
  default int[] virtualTokens() {
    return new int[0];
  }

  /**
   * A weight that the adapter brings or replaces, by the name that {@link #wrap}'s code or the base
   * model uses for it; null for all others.
   */
  @Nullable NDArray weight(String name);

  /** What is trained, by name, in a fixed order. */
  Map<String, NDArray> parameters();

  /**
   * Base weights with the adapter folded in: those that change, by name.
   *
   * @param base weights of the base model by name
   */
  Map<String, NDArray> merged(Function<String, NDArray> base, NDManager scope);

  /** {@code adapter_config.json}, with keys kept that this version does not know. */
  ObjectNode config();

  /** {@code adapter_model.safetensors}, under PEFT's names. */
  List<TensorData> tensors();

  @Override
  void close();
}
