package io.attune.engine.adapter;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.attune.engine.nn.Attention;
import io.attune.engine.nn.Embedding;
import io.attune.engine.nn.Linear;
import io.attune.engine.nn.Sublayer;
import io.attune.engine.quant.QuantizedWeights;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What an adapter knows of the model that it is for.
 *
 * @param linears layers that may have an adapter, in order: what {@code all-linear} means
 * @param embedding the table of tokens; null where the model has not one table for all of them
 * @param heads a layer's keys and values, alike in all layers; null as {@code embedding}
 * @param layers attention layers
 * @param parameters shapes of the checkpoint's weights, by name
 * @param added shapes of weights that only an adapter brings (a head), by name
 * @param tiedHead whether the head's weight is that of the embedding
 * @param weights from names of {@code parameters} to arrays; null for quantized ones
 * @param quantized the weights that are quantized; null where none is
 * @param sublayers what the layers add to the stream of hidden states, in order
 */
public record BaseModel(
    List<Linear> linears,
    @Nullable Embedding embedding,
    Attention.@Nullable Heads heads,
    int layers,
    Map<String, Shape> parameters,
    Map<String, Shape> added,
    boolean tiedHead,
    Function<String, NDArray> weights,
    @Nullable QuantizedWeights quantized,
    List<Sublayer> sublayers) {

  /** A model whose weights are all dense, for adapters on linear layers and embeddings. */
  public BaseModel(
      List<Linear> linears,
      @Nullable Embedding embedding,
      Attention.@Nullable Heads heads,
      int layers,
      Map<String, Shape> parameters,
      Map<String, Shape> added,
      boolean tiedHead,
      Function<String, NDArray> weights) {
    this(linears, embedding, heads, layers, parameters, added, tiedHead, weights, null, List.of());
  }

  boolean isQuantized(String weight) {
    return quantized != null && quantized.has(weight);
  }

  /** A weight: the model's own array, or, of a quantized one, a dense copy in {@code scope}. */
  NDArray dense(String weight, NDManager scope) {
    return isQuantized(weight) ? quantized.dense(weight, scope) : weights.apply(weight);
  }

  /**
   * The shape of a weight of the checkpoint, or of one that an adapter may add; null if neither.
   */
  @Nullable Shape shape(String name) {
    Shape own = parameters.get(name);
    return own == null ? added.get(name) : own;
  }
}
