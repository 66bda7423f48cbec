package io.attune.engine.model;

import ai.djl.ndarray.types.Shape;
import io.attune.engine.nn.Linear;
import java.util.List;
import java.util.Map;

/** What a model family says about one configuration: the facts and the weights. */
public interface Architecture {
  ModelConfig config();

  /** Every weight of the checkpoint and its shape, by name. */
  Map<String, Shape> parameters();

  /**
   * The linear layers inside the stacks' layers, outermost order: what {@code all-linear} means.
   */
  List<Linear> linears();

  /** Weights that the family computes from its config, by name; never stored. */
  default Map<String, float[]> constants() {
    return Map.of();
  }

  /** What a weight of {@link #parameters} holds before training, as transformers has it. */
  Initial initial(String name);

  /** What weight names begin with, and a checkpoint of the model without its head leaves out. */
  String prefix();
}
