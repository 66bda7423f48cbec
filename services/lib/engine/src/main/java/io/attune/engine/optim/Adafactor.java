package io.attune.engine.optim;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.attune.engine.tensor.Program;
import io.attune.engine.tensor.Torch;
import io.attune.engine.tensor.TorchPrograms;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Adafactor (Shazeer and Stern, arXiv 1804.04235) as transformers computes it: of a matrix' second
 * moment only the means of rows and columns are kept, and no first moment unless asked for.
 */
public final class Adafactor implements Optimizer {

  /**
   * Settings under transformers' names.
   *
   * @param scaleParameter whether a parameter's rate is multiplied by its root mean square
   * @param relativeStep whether the rate follows from the step alone: the schedule is left aside
   * @param warmupInit whether a relative step starts from 1e-6; else from 1e-2
   * @param clipThreshold largest root mean square of an update
   * @param decayRate exponent of the second moment's decay; negative
   * @param beta1 of the first moment; 0 for none
   */
  public record Config(
      boolean scaleParameter,
      boolean relativeStep,
      boolean warmupInit,
      double clipThreshold,
      double decayRate,
      double beta1) {
    /** As transformers' Trainer has it: the rate is the schedule's. */
    public static final Config DEFAULT = new Config(false, false, false, 1, -0.8, 0);

    public Config {
      if (warmupInit && !relativeStep) {
        throw new IllegalArgumentException("'warmup_init' needs relative_step=true");
      }
      if (!(clipThreshold > 0) || !(decayRate < 0) || !(beta1 >= 0 && beta1 < 1)) {
        throw new IllegalArgumentException(
            "'clip_threshold' must be positive, 'decay_rate' negative, 'beta1' in [0, 1)");
      }
    }
  }

  private static final double GRADIENT_EPSILON = 1e-30;
  private static final double PARAMETER_EPSILON = 1e-3;

  private static final Program PROGRAM =
      TorchPrograms.compile(
          StochasticRounding.STORE
              + """
              def rms(self: SELF, x: Tensor) -> Tensor:
                return torch.div(torch.linalg_vector_norm(x), torch.sqrt(float(torch.numel(x))))

              def rate(self: SELF, hyper: Tensor, x: Tensor) -> Tensor:
                if torch.ne(float(hyper[1]), 0.):
                  return torch.mul(torch.clamp(self.rms(x), 1e-3), float(hyper[0]))
                return torch.full([], float(hyper[0]), dtype=6)

              def finish(self: SELF, hyper: Tensor, p: Tensor, x: Tensor, u: Tensor, m: Tensor) -> Tensor:
                lr = self.rate(hyper, x)
                a = torch.div_(u, torch.clamp(torch.div(self.rms(u), float(hyper[4])), 1.))
                update = torch.mul_(u, lr)
                if torch.gt(torch.numel(m), 0):
                  beta1 = float(hyper[5])
                  update = torch.add_(torch.mul_(m, beta1), u, alpha=1. - beta1)
                if torch.ne(float(hyper[6]), 0.):
                  b = torch.mul_(x, torch.rsub(torch.mul(lr, float(hyper[6])), 1.))
                c = torch.sub_(x, update)
                return self.store(p, x)

              def factored(self: SELF, hyper: Tensor, p: Tensor, g: Tensor, row: Tensor, col: Tensor, m: Tensor) -> Tensor:
                d = torch.to(g, 6)
                beta2 = float(hyper[2])
                u = torch.add_(torch.mul(d, d), float(hyper[3]))
                a = torch.add_(torch.mul_(row, beta2), torch.mean(u, [-1]), alpha=1. - beta2)
                b = torch.add_(torch.mul_(col, beta2), torch.mean(u, [-2]), alpha=1. - beta2)
                r = torch.unsqueeze(torch.rsqrt(torch.div(row, torch.mean(row, [-1], True))), -1)
                c = torch.unsqueeze(torch.rsqrt(col), -2)
                e = torch.mul_(torch.mul(r, c, out=u), d)
                return self.finish(hyper, p, torch.to(p, 6), u, m)

              def whole(self: SELF, hyper: Tensor, p: Tensor, g: Tensor, square: Tensor, m: Tensor) -> Tensor:
                d = torch.to(g, 6)
                beta2 = float(hyper[2])
                u = torch.add_(torch.mul(d, d), float(hyper[3]))
                a = torch.add_(torch.mul_(square, beta2), u, alpha=1. - beta2)
                b = torch.mul_(torch.rsqrt(square, out=u), d)
                return self.finish(hyper, p, torch.to(p, 6), u, m)
              """);

  private final Config config;
  private final NDManager scope = Torch.scope("adafactor");
  private final NDArray none = scope.zeros(new Shape(0), DataType.FLOAT32);

  /** By parameter: means of rows and columns, or all of the second moment. */
  private final Map<String, List<NDArray>> second = new LinkedHashMap<>();

  private final Map<String, NDArray> first = new LinkedHashMap<>();

  public Adafactor(Config config) {
    this.config = config;
  }

  @Override
  public void add(String name, Shape shape) {
    int last = shape.dimension() - 1;
    second.put(
        name,
        last < 1
            ? List.of(zeros(shape))
            : List.of(
                zeros(shape.slice(0, last)), zeros(shape.slice(0, last - 1).add(shape.get(last)))));
    if (config.beta1() > 0) {
      first.put(name, zeros(shape));
    }
  }

  private NDArray zeros(Shape shape) {
    return scope.zeros(shape, DataType.FLOAT32);
  }

  @Override
  public void update(NDManager work, Batch batch, Step step) {
    for (int i = 0; i < batch.names().size(); i++) {
      List<NDArray> moments = second.get(batch.names().get(i));
      NDList inputs = new NDList(work.create(hyper(step)));
      inputs.add(batch.parameters().get(i));
      inputs.add(batch.gradients().get(i));
      inputs.addAll(moments);
      inputs.add(first.getOrDefault(batch.names().get(i), none));
      PROGRAM.run(work, moments.size() == 1 ? "whole" : "factored", inputs, List.of());
    }
  }

  private double[] hyper(Step step) {
    return new double[] {
      step.learningRate(),
      config.scaleParameter() ? PARAMETER_EPSILON : 0,
      1 - Math.pow(step.number(), config.decayRate()),
      GRADIENT_EPSILON,
      config.clipThreshold(),
      config.beta1(),
      step.weightDecay()
    };
  }

  /** Where steps are relative, the rate before {@code scaleParameter}. */
  @Override
  public double learningRate(int step, double scheduled) {
    return config.relativeStep()
        ? Math.min(config.warmupInit() ? 1e-6 * step : 1e-2, 1 / Math.sqrt(step))
        : scheduled;
  }

  @Override
  public Map<String, NDArray> state() {
    Map<String, NDArray> state = new LinkedHashMap<>();
    second.forEach(
        (name, moments) -> {
          if (moments.size() == 1) {
            state.put("exp_avg_sq." + name, moments.get(0));
          } else {
            state.put("exp_avg_sq_row." + name, moments.get(0));
            state.put("exp_avg_sq_col." + name, moments.get(1));
          }
        });
    first.forEach((name, array) -> state.put("exp_avg." + name, array));
    return state;
  }

  @Override
  public void close() {
    scope.close();
  }
}
