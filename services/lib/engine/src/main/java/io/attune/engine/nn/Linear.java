package io.attune.engine.nn;

import ai.djl.ndarray.types.Shape;

/**
 * A linear layer of a model: y = x W^T + b.
 *
 * @param name module path as in the checkpoint, as {@code model.layers.0.self_attn.q_proj}; its
 *     weight is {@code name + ".weight"}
 * @param transposed whether the checkpoint holds W^T, [inputs, outputs], as GPT-2's {@code Conv1D}
 *     does; PEFT calls it {@code fan_in_fan_out}
 */
public record Linear(String name, int inputs, int outputs, boolean bias, boolean transposed) {
  public Linear(String name, int inputs, int outputs, boolean bias) {
    this(name, inputs, outputs, bias, false);
  }

  public String weight() {
    return name + ".weight";
  }

  public String biasName() {
    return name + ".bias";
  }

  /** The weight's shape in the checkpoint. */
  public Shape shape() {
    return transposed ? new Shape(inputs, outputs) : new Shape(outputs, inputs);
  }
}
