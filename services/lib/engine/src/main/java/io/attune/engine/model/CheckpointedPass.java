package io.attune.engine.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.attune.engine.tensor.Program;
import io.attune.engine.tensor.Seed;
import io.attune.engine.tensor.Torch;
import io.attune.engine.tensor.TorchPrograms;
import java.util.ArrayList;
import java.util.List;

/**
 * Activation checkpointing (Chen et al., arXiv 1604.06174), a layer at a time: the pass keeps each
 * layer's input alone; the way back computes the layer again, recorded, and takes its derivative.
 *
 * <p>Whatever a layer makes on its way, dequantized weights too, exists for one layer at a time.
 * Dropout draws from a seed of the layer's own, so that it draws the same again.
 */
final class CheckpointedPass implements Pass {
  private static final Program DRAW =
      TorchPrograms.compile(
          """
          def draw(self: SELF) -> Tensor:
            return torch.randint(9223372036854775807, [1])
          """);

  /** A layer of a network, to be run on what flows through it and what all layers read. */
  @FunctionalInterface
  interface Layer {
    NDArray run(NDManager scope, NDArray h, NDList shared);
  }

  private final NDManager scope;
  private final List<Layer> layers;

  /** What flows into the first layer, and what all layers read, as autograd knows it. */
  private final NDArray start;

  private final NDList sharedOrigins;

  /** The latter cut off from how it was made; leaves where it has a derivative. */
  private final NDList shared = new NDList();

  /** Which of them have a derivative. */
  private final List<Integer> derived = new ArrayList<>();

  /** Each layer's input, cut off, and the last layer's result. */
  private final List<NDArray> inputs = new ArrayList<>();

  private final long seed;
  private final NDArray hidden;

  /**
   * Runs the layers. To be called with grad mode on.
   *
   * @param start what flows into the first layer
   * @param shared what all layers read
   * @param finish from the last layer's result to the hidden states
   */
  CheckpointedPass(
      NDManager scope, List<Layer> layers, NDArray start, NDList shared, Layer finish) {
    this.scope = scope;
    this.layers = List.copyOf(layers);
    this.start = start;
    this.sharedOrigins = shared;
    for (NDArray array : shared) {
      NDArray cut = array.stopGradient();
      cut.attach(scope);
      if (Torch.requiresGradient(array)) {
        derived.add(this.shared.size());
        Torch.requireGradient(cut, true);
      }
      this.shared.add(cut);
    }
    try (NDArray drawn = DRAW.infer(scope, "draw").get(0)) {
      seed = drawn.getLong();
    }
    NDArray h = start.stopGradient();
    h.attach(scope);
    try (Torch.GradMode mode = Torch.gradMode(false)) {
      for (int i = 0; i < layers.size(); i++) {
        inputs.add(h);
        Torch.seed(Seed.derive(seed, i));
        h = layers.get(i).run(scope, h, this.shared);
      }
    }
    Torch.seed(Seed.derive(seed, layers.size()));
    inputs.add(h);
    Torch.requireGradient(h, true);
    hidden = finish.run(scope, h, this.shared);
  }

  @Override
  public NDArray hidden() {
    return hidden;
  }

  @Override
  public void backward() {
    boolean further = Torch.requiresGradient(start);
    NDArray gradient = takeGradient(layers.size());
    for (int i = layers.size() - 1; i >= 0; i--) {
      NDArray input = inputs.get(i);
      if (i > 0 || further) {
        Torch.requireGradient(input, true);
      }
      Torch.seed(Seed.derive(seed, i));
      try (NDManager work = scope.newSubManager();
          Torch.GradMode mode = Torch.gradMode(true)) {
        NDArray result = layers.get(i).run(work, input, shared);
        if (i > 0
            || Torch.requiresGradient(
                result)) { // not the first layer where nothing in it is trained
          Torch.backward(result, gradient);
        }
      }
      gradient.close();
      gradient = i > 0 || further ? takeGradient(i) : null;
    }
    Torch.seed(Seed.derive(seed, layers.size() + 1L));
    if (gradient != null) {
      Torch.backward(start, gradient);
      gradient.close();
    }
    for (int i : derived) {
      try (NDArray own = Torch.gradient(shared.get(i), scope)) {
        Torch.backward(sharedOrigins.get(i), own);
      }
    }
  }

  /** The gradient at a layer's input, which is not needed any more. */
  private NDArray takeGradient(int layer) {
    try (NDArray input = inputs.get(layer)) {
      return Torch.gradient(input, scope);
    }
  }
}
