package io.attune.engine.optim;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.attune.engine.tensor.Program;
import io.attune.engine.tensor.Torch;
import io.attune.engine.tensor.TorchPrograms;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * AdamW (Loshchilov and Hutter, arXiv 1711.05101) as torch computes it, in libtorch's fused kernel,
 * behind clipping by the global norm.
 *
 * <p>Weight decay spares biases and norms, as transformers' Trainer does.
 */
public final class AdamW implements AutoCloseable {

  /** Settings under transformers' names and defaults. */
  public record Config(
      double adamBeta1,
      double adamBeta2,
      double adamEpsilon,
      double weightDecay,
      double maxGradNorm) {
    public static final Config DEFAULT = new Config(0.9, 0.999, 1e-8, 0, 1);

    public Config {
      if (!(adamBeta1 >= 0 && adamBeta1 < 1 && adamBeta2 >= 0 && adamBeta2 < 1)) {
        throw new IllegalArgumentException("'adam_beta1' and 'adam_beta2' must be in [0, 1)");
      }
      if (!(adamEpsilon > 0) || !(weightDecay >= 0) || !(maxGradNorm >= 0)) {
        throw new IllegalArgumentException(
            "'adam_epsilon' must be positive, 'weight_decay' and 'max_grad_norm' not negative");
      }
    }
  }

  private static final Pattern NOT_DECAYED =
      Pattern.compile("bias|layernorm|rmsnorm|(?:^|\\.)norm(?:$|\\.)|_norm(?:$|\\.)");

  private static final Program PROGRAM =
      TorchPrograms.compile(
          """
          def norm(self: SELF, g: List[Tensor]) -> Tensor:
            return torch.linalg_vector_norm(torch.stack(torch._foreach_norm(g)))

          def scale(self: SELF, factor: Tensor, g: List[Tensor]) -> Tensor:
            torch._foreach_mul_(g, float(factor))
            return factor

          def update(self: SELF, hyper: Tensor, p: List[Tensor], g: List[Tensor], m: List[Tensor], v: List[Tensor], s: List[Tensor]) -> Tensor:
            torch._foreach_add_(s, 1)
            none = annotate(List[Tensor], [])
            torch._fused_adamw_(p, g, m, v, none, s, lr=float(hyper[0]), beta1=float(hyper[1]), beta2=float(hyper[2]), weight_decay=float(hyper[3]), eps=float(hyper[4]), amsgrad=False, maximize=False)
            torch._foreach_zero_(g)
            return hyper
          """);

  private final Config config;
  private final NDManager scope = Torch.scope("adamw");
  private final Map<String, NDArray> parameters;
  private final Map<String, NDArray> first = new LinkedHashMap<>();
  private final Map<String, NDArray> second = new LinkedHashMap<>();
  private final Map<String, NDArray> steps = new LinkedHashMap<>();

  /**
   * @param parameters leaves that gradients are collected for; changed in place
   */
  public AdamW(Config config, Map<String, NDArray> parameters) {
    this.config = config;
    this.parameters = new LinkedHashMap<>(parameters);
    parameters.forEach(
        (name, array) -> {
          first.put(name, scope.zeros(array.getShape(), DataType.FLOAT32));
          second.put(name, scope.zeros(array.getShape(), DataType.FLOAT32));
          steps.put(name, scope.zeros(new Shape(), DataType.FLOAT32));
        });
  }

  /** The global norm of the gradients collected so far. */
  public double gradientNorm() {
    try (NDManager work = scope.newSubManager();
        Torch.GradMode mode = Torch.gradMode(false)) {
      List<NDArray> gradients = gradients(parameters.keySet(), work);
      return PROGRAM.runLists(work, "norm", new NDList(), Map.of("g", gradients)).get(0).getFloat();
    }
  }

  /**
   * Clips the gradients, applies one update and sets the gradients to zero.
   *
   * @param norm what {@link #gradientNorm} gave for them
   */
  public void step(double learningRate, double norm) {
    try (NDManager work = scope.newSubManager();
        Torch.GradMode mode = Torch.gradMode(false)) {
      double factor = config.maxGradNorm() == 0 ? 1 : config.maxGradNorm() / (norm + 1e-6);
      if (factor < 1) {
        List<NDArray> gradients = gradients(parameters.keySet(), work);
        PROGRAM.runLists(work, "scale", new NDList(work.create(factor)), Map.of("g", gradients));
      }
      update(work, learningRate, config.weightDecay(), true);
      update(work, learningRate, 0, false);
    }
  }

  private void update(NDManager work, double learningRate, double decay, boolean decayed) {
    List<String> names =
        parameters.keySet().stream()
            .filter(name -> NOT_DECAYED.matcher(name).find() != decayed)
            .toList();
    if (names.isEmpty()) {
      return;
    }
    NDArray hyper =
        work.create(
            new double[] {
              learningRate, config.adamBeta1(), config.adamBeta2(), decay, config.adamEpsilon()
            });
    Map<String, List<NDArray>> lists = new LinkedHashMap<>();
    lists.put("p", pick(parameters, names));
    lists.put("g", gradients(names, work));
    lists.put("m", pick(first, names));
    lists.put("v", pick(second, names));
    lists.put("s", pick(steps, names));
    PROGRAM.runLists(work, "update", new NDList(hyper), lists);
  }

  private List<NDArray> gradients(Iterable<String> names, NDManager work) {
    List<NDArray> result = new ArrayList<>();
    for (String name : names) {
      NDArray gradient = Torch.gradient(parameters.get(name), work);
      if (gradient == null) {
        throw new IllegalStateException("no gradient reached " + name);
      }
      result.add(gradient);
    }
    return result;
  }

  private static List<NDArray> pick(Map<String, NDArray> from, List<String> names) {
    return names.stream().map(from::get).toList();
  }

  /** First moments, second moments and step counts, for a checkpoint; the live arrays. */
  public Map<String, NDArray> state() {
    Map<String, NDArray> state = new LinkedHashMap<>();
    first.forEach((name, array) -> state.put("exp_avg." + name, array));
    second.forEach((name, array) -> state.put("exp_avg_sq." + name, array));
    steps.forEach((name, array) -> state.put("step." + name, array));
    return state;
  }

  @Override
  public void close() {
    scope.close();
  }
}
