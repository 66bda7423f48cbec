package io.attune.engine.nn;

/**
 * A linear layer of a model: y = x W^T + b.
 *
 * @param name module path as in the checkpoint, as {@code model.layers.0.self_attn.q_proj}; its
 *     weight is {@code name + ".weight"}, of shape [outputs, inputs]
 */
public record Linear(String name, int inputs, int outputs, boolean bias) {
  public String weight() {
    return name + ".weight";
  }

  public String biasName() {
    return name + ".bias";
  }
}
