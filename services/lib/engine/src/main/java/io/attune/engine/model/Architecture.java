package io.attune.engine.model;

import ai.djl.ndarray.types.Shape;
import io.attune.engine.nn.Linear;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What a model family says about one configuration: the facts and the weights. */
public interface Architecture {
  ModelConfig config();

  /** The kind of model in words, with its article, for messages. */
  String kind();

  /** Every weight of the checkpoint and its shape, by name. */
  Map<String, Shape> parameters();

  /** Of {@link #parameters}, what a checkpoint may leave out: the model then does without. */
  default Set<String> optionalParameters() {
    return Set.of();
  }

  /**
   * The linear layers inside the stacks' layers, outermost order: what {@code all-linear} means.
   */
  List<Linear> linears();

  /** Weights that the family computes from its config, by name; never stored. */
  default Map<String, float[]> constants() {
    return Map.of();
  }

  /** Other names that checkpoints hold a weight under, tried in order where its own is missing. */
  default List<String> aliases(String name) {
    return List.of();
  }

  /**
   * Shapes of stored arrays that are no weights, by name: never trained, and zero where a
   * checkpoint leaves them out.
   */
  default Map<String, Shape> buffers() {
    return Map.of();
  }

  /** What weight names begin with, and a checkpoint of the model without its head leaves out. */
  String prefix();
}
