package io.attune.engine.adapter;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.attune.engine.checkpoint.TensorReader;
import io.attune.engine.nn.Embedding;
import io.attune.engine.nn.Linear;
import io.attune.engine.nn.MethodWriter;
import io.attune.engine.nn.Projection;
import io.attune.engine.nn.Seams;
import io.attune.engine.tensor.MersenneTwister;
import io.attune.engine.tensor.Program;
import io.attune.engine.tensor.Torch;
import io.attune.engine.tensor.TorchPrograms;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * VeRA (Kopiczko et al., arXiv 2310.11454): y = W x + b * (B (d * (A x))), with A [R, inputs] and B
 * [outputs, R] random, frozen and shared by all layers, each of which takes the part that it needs;
 * trained are b [outputs] and d [R] of each layer.
 *
 * <p>A and B are in the file, or, without {@code save_projection}, drawn again from {@code
 * projection_prng_key} as torch draws them.
 */
final class Vera extends PeftAdapter {
  private static final String A = "vera_A";
  private static final String B = "vera_B";

  /** What PEFT puts before the names of A and B. */
  private static final String SHARED = "base_model.";

  private static final Program PROGRAM =
      TorchPrograms.compile(
          """
          def delta(self: SELF, a: Tensor, b: Tensor, lambda_d: Tensor, lambda_b: Tensor) -> Tensor:
            return torch.mm(torch.unsqueeze(lambda_b, 1) * torch.slice(b, 0, 0, torch.size(lambda_b, 0)), torch.unsqueeze(lambda_d, 1) * a)

          def plain(self: SELF, sign: Tensor, w: List[Tensor]) -> Tensor:
            part = torch.slice(w[1], 1, 0, torch.size(w[0], 1))
            return torch.add(w[0], self.delta(part, w[2], w[3], w[4]), alpha=float(sign))

          def transposed(self: SELF, sign: Tensor, w: List[Tensor]) -> Tensor:
            part = torch.slice(w[1], 1, 0, torch.size(w[0], 0))
            return torch.add(w[0], torch.t(self.delta(part, w[2], w[3], w[4])), alpha=float(sign))
          """);

  private final int rank;
  private final double dropout;
  private final boolean projectionSaved;
  private final Targets targets;
  private final List<Linear> linears;
  private final WholeWeights whole;

  Vera(AdapterConfig config, BaseModel base) {
    super(config, base);
    rank = config.size("r", 256);
    dropout = config.dropout("vera_dropout");
    projectionSaved = config.flag("save_projection", true);
    targets = new Targets(config);
    linears = targets.linears(base);
    whole =
        new WholeWeights(
            config,
            base,
            tensors,
            AdapterTensors.PEFT,
            module -> linears.stream().anyMatch(linear -> linear.name().equals(module)),
            "vera");
  }

  private static String lambdaB(Linear linear) {
    return linear.name() + ".vera_lambda_b";
  }

  private static String lambdaD(Linear linear) {
    return linear.name() + ".vera_lambda_d";
  }

  @Override
  void read(TensorReader file) {
    targets.require(base, false, false);
    for (Linear linear : linears) {
      tensors.read(file, lambdaB(linear), new Shape(linear.outputs()));
      tensors.read(file, lambdaD(linear), new Shape(rank));
    }
    // A file that has them although save_projection is false: what is there is what was trained.
    if (projectionSaved || file.has(SHARED + A)) {
      tensors.read(file, SHARED + A, A, shapeOfA(), false);
      tensors.read(file, SHARED + B, B, shapeOfB(), false);
    } else {
      drawProjections();
    }
    whole.read(file);
  }

  @Override
  void initialise(Start start) {
    targets.require(base, false, true);
    Draws draws = new Draws(start.seed(), "vera");
    for (Linear linear : linears) {
      boolean standard = config.flag("init_weights", true);
      tensors.add(
          lambdaB(linear),
          Draws.constant(linear.outputs(), standard ? 0 : 1),
          new Shape(linear.outputs()));
      tensors.add(
          lambdaD(linear),
          standard ? Draws.constant(rank, config.number("d_initial", 0.1)) : draws.normal(rank, 1),
          new Shape(rank));
    }
    drawProjections();
    whole.initialise(start);
  }

  private Shape shapeOfA() {
    return new Shape(rank, linears.stream().mapToInt(Linear::inputs).max().orElseThrow());
  }

  private Shape shapeOfB() {
    return new Shape(linears.stream().mapToInt(Linear::outputs).max().orElseThrow(), rank);
  }

  private void drawProjections() {
    MersenneTwister random = new MersenneTwister(config.whole("projection_prng_key", 0));
    addProjection(A, random, shapeOfA());
    addProjection(B, random, shapeOfB());
  }

  /** Uniform with variance 2 / columns: kaiming initialisation for the fan-in. */
  private void addProjection(String name, MersenneTwister random, Shape shape) {
    double bound = Math.sqrt(3) * (Math.sqrt(2) / Math.sqrt(shape.get(1)));
    float[] values = new float[Math.toIntExact(shape.size())];
    for (int i = 0; i < values.length; i++) {
      values[i] = random.uniform((float) -bound, (float) bound);
    }
    String key = projectionSaved ? SHARED + name : null;
    tensors.add(name, key, tensors.scope().create(values, shape), false);
  }

  @Override
  public Seams wrap(Seams inner, boolean training) {
    Projection dense = inner.projection();
    double dropped = training ? dropout : 0;
    Projection projection =
        new Projection() {
          @Override
          public List<String> emit(MethodWriter out, String input, List<Linear> layers) {
            return Vera.this.emit(dense, dropped, out, input, layers);
          }

          @Override
          public String embedding(MethodWriter out, String ids, Embedding table) {
            return whole.lookup(dense, out, ids, table);
          }
        };
    return inner.withProjection(projection);
  }

  private List<String> emit(
      Projection inner, double dropped, MethodWriter out, String input, List<Linear> layers) {
    List<String> results = new ArrayList<>(inner.emit(out, input, layers));
    String shared = null; // A x, alike for all layers that read x
    for (int i = 0; i < layers.size(); i++) {
      Linear linear = layers.get(i);
      if (!linears.contains(linear)) {
        continue;
      }
      if (shared == null || dropped > 0) {
        String x =
            dropped > 0
                ? out.value("torch.dropout(%s, %s, True)", input, MethodWriter.number(dropped))
                : input;
        shared =
            out.value(
                "torch.linear(%s, torch.slice(%s, 1, 0, %d))", x, out.weight(A), linear.inputs());
      }
      String low = out.value("torch.mul(%s, %s)", shared, out.weight(lambdaD(linear)));
      String high =
          out.value(
              "torch.linear(%s, torch.slice(%s, 0, 0, %d))", low, out.weight(B), linear.outputs());
      results.set(
          i,
          out.value(
              "torch.addcmul(%s, %s, %s)", results.get(i), high, out.weight(lambdaB(linear))));
    }
    return results;
  }

  @Override
  public Map<String, NDArray> merged(Function<String, NDArray> from, NDManager into) {
    Map<String, NDArray> result = whole.merged(into);
    result.putAll(sum(from, into, 1));
    return result;
  }

  @Override
  public Map<String, NDArray> unmerged(Function<String, NDArray> from, NDManager into) {
    return sum(from, into, -1);
  }

  private Map<String, NDArray> sum(Function<String, NDArray> from, NDManager into, double sign) {
    Map<String, NDArray> result = new LinkedHashMap<>();
    try (NDManager work = into.newSubManager();
        Torch.GradMode mode = Torch.gradMode(false)) {
      for (Linear linear : linears) {
        List<NDArray> parts =
            List.of(
                from.apply(linear.weight()),
                tensors.get(A),
                tensors.get(B),
                tensors.get(lambdaD(linear)),
                tensors.get(lambdaB(linear)));
        String method = linear.transposed() ? "transposed" : "plain";
        result.put(
            linear.weight(),
            PROGRAM.run(into, method, new NDList(work.create(sign)), parts).get(0));
      }
    }
    return result;
  }
}
