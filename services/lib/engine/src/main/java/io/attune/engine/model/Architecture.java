package io.attune.engine.model;

import ai.djl.ndarray.types.Shape;
import io.attune.engine.nn.Attention;
import io.attune.engine.nn.Linear;
import io.attune.engine.nn.MethodWriter;
import io.attune.engine.nn.Projection;
import java.util.List;
import java.util.Map;

/**
 * What a model family says about one configuration: the facts, the weights, and the code of its
 * parts.
 */
public interface Architecture {
  ModelConfig config();

  /** Every weight of the checkpoint and its shape, by name. */
  Map<String, Shape> parameters();

  /**
   * The linear layers inside the decoder layers, outermost order: what {@code all-linear} means.
   */
  List<Linear> linears();

  /** Weights that the family computes from its config, by name; never stored. */
  Map<String, float[]> constants();

  /** Name of the token embedding, [V, E]. */
  String embeddingWeight();

  /** Name of the weight that turns hidden states into logits, [V, E]; the embedding where tied. */
  String headWeight();

  /** How a layer keeps its keys and values. */
  Attention.Heads heads();

  /**
   * Emits the start: from {@code ids} [N] and {@code positions} [N] to {@code h} [N, E] and the
   * angles {@code cos} and {@code sin}.
   */
  void embed(MethodWriter out);

  /** Emits one layer: from {@code h}, {@code cos} and {@code sin} to a new {@code h}. */
  void layer(MethodWriter out, int index, Projection projection, Attention attention);

  /** Emits what follows the last layer: from {@code h} to the {@code h} that logits are made of. */
  void finish(MethodWriter out);
}
