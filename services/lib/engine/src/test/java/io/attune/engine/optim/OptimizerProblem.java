package io.attune.engine.optim;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.attune.engine.tensor.Torch;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A problem whose gradient any language can compute to the last bit: that of weight w is s * (w -
 * t), element by element. {@code make_optim.py} states it too.
 */
final class OptimizerProblem implements AutoCloseable {
  static final int STEPS = 20;
  static final double RATE = 1e-2;
  static final double DECAY = 0.05;

  /** The first two have moments in 8 bits; the second does not fill its last block. */
  static final Map<String, Shape> SHAPES = new LinkedHashMap<>();

  static {
    SHAPES.put("tall.weight", new Shape(72, 64));
    SHAPES.put("wide.weight", new Shape(50, 84));
    SHAPES.put("small.weight", new Shape(12, 20));
    SHAPES.put("slim.weight", new Shape(20, 12));
    SHAPES.put("layer.bias", new Shape(30));
  }

  private final NDManager scope = Torch.scope("problem");
  private final Map<String, NDArray> weights = new LinkedHashMap<>();
  private final Map<String, float[]> scales = new LinkedHashMap<>();
  private final Map<String, float[]> targets = new LinkedHashMap<>();

  OptimizerProblem() {
    this(SHAPES.keySet());
  }

  OptimizerProblem(Iterable<String> names) {
    List<String> all = new ArrayList<>(SHAPES.keySet());
    for (String name : names) {
      Shape shape = SHAPES.get(name);
      int salt = 3 * all.indexOf(name);
      int size = (int) shape.size();
      float[] start = new float[size];
      float[] scale = new float[size];
      float[] target = new float[size];
      for (int i = 0; i < size; i++) {
        start[i] = (uniform(salt, i) - 0.5f) * 0.5f;
        scale[i] = uniform(salt + 1, i) * uniform(salt + 1, i);
        target[i] = uniform(salt + 2, i) - 0.5f;
      }
      weights.put(name, scope.create(start, shape));
      scales.put(name, scale);
      targets.put(name, target);
    }
  }

  /** A number in [0, 1): 24 bits of a hash of place and salt. */
  static float uniform(int salt, int place) {
    int x = place + salt * 1000003;
    x ^= x >>> 16;
    x *= 0x7feb352d;
    x ^= x >>> 15;
    x *= 0x846ca68b;
    x ^= x >>> 16;
    return (x >>> 8) * 0x1p-24f;
  }

  static double rate(int step) {
    return RATE * (1 - step / 40.0);
  }

  Map<String, NDArray> weights() {
    return weights;
  }

  /** The gradient where the weight is what {@code values} says. */
  float[] gradient(String name, float[] values) {
    float[] gradient = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      gradient[i] = scales.get(name)[i] * (values[i] - targets.get(name)[i]);
    }
    return gradient;
  }

  /** Adds all weights' states and makes {@link #STEPS} updates. */
  void train(Optimizer optimizer, double decay) {
    weights.forEach((name, array) -> optimizer.add(name, array.getShape()));
    for (int step = 0; step < STEPS; step++) {
      step(optimizer, step, decay);
    }
  }

  /** One update; states must have been added. */
  void step(Optimizer optimizer, int step, double decay) {
    try (NDManager work = scope.newSubManager();
        Torch.GradMode mode = Torch.gradMode(false)) {
      List<NDArray> gradients = new ArrayList<>();
      weights.forEach(
          (name, array) ->
              gradients.add(work.create(gradient(name, array.toFloatArray()), array.getShape())));
      double rate = optimizer.learningRate(step + 1, rate(step));
      optimizer.update(
          work,
          new Optimizer.Batch(
              List.copyOf(weights.keySet()), List.copyOf(weights.values()), gradients),
          new Optimizer.Step(step + 1, rate, decay));
    }
  }

  @Override
  public void close() {
    scope.close();
  }
}
