package io.attune.engine.adapter;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.attune.engine.checkpoint.TensorReader;
import io.attune.engine.nn.Embedding;
import io.attune.engine.nn.Linear;
import io.attune.engine.nn.MethodWriter;
import io.attune.engine.nn.Projection;
import io.attune.engine.nn.Seams;
import io.attune.engine.tensor.Torch;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Function;

/**
 * (IA)^3 (Liu et al., arXiv 2205.05638): a trained factor for each output of a layer, l * (W x +
 * b); of a {@code feedforward_modules} layer for each input, W (l * x) + b.
 */
final class Ia3 extends PeftAdapter {
  private static final String FACTORS = ".ia3_l";

  /** Keeps PEFT's way back from merged weights clear of a division by zero. */
  private static final double UNMERGE_EPSILON = 1e-8;

  /** Layers that have the adapter, and whether it is their inputs that are scaled. */
  private final Map<Linear, Boolean> inputsScaled = new LinkedHashMap<>();

  private final WholeWeights whole;
  private final Targets targets;

  Ia3(AdapterConfig config, BaseModel base) {
    super(config, base);
    targets = new Targets(config);
    List<Linear> linears = targets.linears(base);
    for (Linear linear : linears) {
      inputsScaled.put(linear, isFeedForward(linear.name()));
    }
    whole = new WholeWeights(config, base, tensors, AdapterTensors.PEFT, module -> false, null);
  }

  private boolean isFeedForward(String module) {
    if (config.json().path("feedforward_modules").isTextual()) {
      String text = config.text("feedforward_modules", "");
      try {
        return new ModulePattern(text).matches(module);
      } catch (IllegalArgumentException e) {
        throw config.invalid("feedforward_modules", e.getMessage());
      }
    }
    return config.names("feedforward_modules").stream().anyMatch(module::endsWith);
  }

  private Shape shape(Linear linear) {
    return inputsScaled.get(linear)
        ? new Shape(1, linear.inputs())
        : new Shape(linear.outputs(), 1);
  }

  @Override
  void read(TensorReader file) {
    targets.require(base, false, false);
    inputsScaled
        .keySet()
        .forEach(linear -> tensors.read(file, linear.name() + FACTORS, shape(linear)));
    whole.read(file);
  }

  @Override
  void initialise(Start start) {
    targets.require(base, false, true);
    for (String module : config.names("feedforward_modules")) {
      if (inputsScaled.keySet().stream().noneMatch(l -> l.name().endsWith(module))) {
        throw config.incompatible(
            "feedforward_modules names '" + module + "', which target_modules does not");
      }
    }
    Draws draws = new Draws(start.seed(), "ia3");
    for (Linear linear : inputsScaled.keySet()) {
      long size = shape(linear).size();
      boolean ones = config.flag("init_ia3_weights", true);
      tensors.add(
          linear.name() + FACTORS,
          ones ? Draws.constant(size, 1) : draws.normal(size, 1),
          shape(linear));
    }
    whole.initialise(start);
  }

  @Override
  public Seams wrap(Seams inner, boolean training) {
    Projection dense = inner.projection();
    Projection projection =
        new Projection() {
          @Override
          public List<String> emit(MethodWriter out, String input, List<Linear> layers) {
            return Ia3.this.emit(dense, out, input, layers);
          }

          @Override
          public String embedding(MethodWriter out, String ids, Embedding table) {
            return whole.lookup(dense, out, ids, table);
          }
        };
    return inner.withProjection(projection);
  }

  private List<String> emit(Projection inner, MethodWriter out, String input, List<Linear> layers) {
    List<Linear> together = new ArrayList<>(layers);
    together.removeIf(linear -> inputsScaled.getOrDefault(linear, false));
    List<String> shared = together.isEmpty() ? List.of() : inner.emit(out, input, together);
    List<String> results = new ArrayList<>();
    for (Linear linear : layers) {
      if (!inputsScaled.containsKey(linear)) {
        results.add(shared.get(together.indexOf(linear)));
        continue;
      }
      String factors = out.value("torch.reshape(%s, [-1])", out.weight(linear.name() + FACTORS));
      if (inputsScaled.get(linear)) {
        String scaled = out.value("torch.mul(%s, %s)", input, factors);
        results.add(inner.emit(out, scaled, List.of(linear)).get(0));
      } else {
        results.add(out.value("torch.mul(%s, %s)", shared.get(together.indexOf(linear)), factors));
      }
    }
    return results;
  }

  @Override
  public Map<String, NDArray> merged(Function<String, NDArray> from, NDManager into) {
    Map<String, NDArray> result = whole.merged(into);
    scale(from, into, NDArray::mul, 0).forEach(result::putIfAbsent);
    return result;
  }

  @Override
  public Map<String, NDArray> unmerged(Function<String, NDArray> from, NDManager into) {
    return scale(from, into, NDArray::div, UNMERGE_EPSILON);
  }

  private Map<String, NDArray> scale(
      Function<String, NDArray> from,
      NDManager into,
      BiFunction<NDArray, NDArray, NDArray> operation,
      double epsilon) {
    Map<String, NDArray> result = new LinkedHashMap<>();
    try (NDManager work = into.newSubManager();
        Torch.GradMode mode = Torch.gradMode(false)) {
      for (Linear linear : inputsScaled.keySet()) {
        NDArray factors = tensors.get(linear.name() + FACTORS).add(epsilon);
        factors.attach(work);
        NDArray forWeight = factors;
        if (linear.transposed()) {
          forWeight = factors.transpose();
          forWeight.attach(work);
        }
        NDArray weight = operation.apply(from.apply(linear.weight()), forWeight);
        weight.attach(into);
        result.put(linear.weight(), weight);
        if (linear.bias() && !inputsScaled.get(linear)) {
          NDArray flat = factors.reshape(-1);
          flat.attach(work);
          NDArray bias = operation.apply(from.apply(linear.biasName()), flat);
          bias.attach(into);
          result.put(linear.biasName(), bias);
        }
      }
    }
    return result;
  }
}
