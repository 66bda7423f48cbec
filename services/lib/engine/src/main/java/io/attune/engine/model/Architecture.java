package io.attune.engine.model;

import ai.djl.ndarray.types.Shape;
import io.attune.engine.nn.Linear;
import io.attune.engine.nn.Sublayer;
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

  /** What the layers of the stacks add to the stream, in the order in which it is computed. */
  List<Sublayer> sublayers();

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

  /**
   * What a weight of {@link #parameters} holds before training, as transformers has it. Here:
   * matrices normal(0, initializer_range), scales 1, biases 0.
   */
  default Initial initial(String name) {
    if (parameters().get(name).dimension() > 1) {
      return Initial.normal(config().initializerRange());
    }
    return Initial.constant(name.endsWith(".weight") ? 1 : 0);
  }

  /** What weight names begin with, and a checkpoint of the model without its head leaves out. */
  String prefix();
}
