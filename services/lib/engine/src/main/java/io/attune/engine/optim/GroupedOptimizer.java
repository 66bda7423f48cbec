package io.attune.engine.optim;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.attune.engine.tensor.Bfloat16;
import io.attune.engine.tensor.Program;
import io.attune.engine.tensor.Seed;
import io.attune.engine.tensor.Torch;
import io.attune.engine.tensor.TorchPrograms;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * An {@link Optimizer} at work on a model's parameters: collected gradients, clipping by the global
 * norm, a learning rate for each group, and what bfloat16 parameters need.
 *
 * <p>Single-threaded.
 */
public final class GroupedOptimizer implements AutoCloseable {

  /** How bfloat16 parameters keep updates that are smaller than their precision. */
  public enum NarrowParameters {
    /** Each update is rounded up or down by chance; no further memory. */
    STOCHASTIC_ROUNDING,
    /** A float32 copy is updated, and the parameter is that copy rounded to the nearest. */
    MASTER_WEIGHTS
  }

  private static final Program PROGRAM =
      TorchPrograms.compile(
          """
          def norm(self: SELF, g: List[Tensor]) -> Tensor:
            return torch.linalg_vector_norm(torch.stack(torch._foreach_norm(g, 2, dtype=6)))

          def scale(self: SELF, factor: Tensor, g: List[Tensor]) -> Tensor:
            torch._foreach_mul_(g, float(factor))
            return factor

          def publish(self: SELF, p: List[Tensor], master: List[Tensor]) -> Tensor:
            torch._foreach_copy_(p, master)
            return p[0]

          def count(self: SELF, steps: Tensor) -> Tensor:
            return torch.add_(steps, 1)
          """);

  private final Optimizer rule;
  private final Map<String, NDArray> parameters;
  private final List<ParameterGroup> groups;
  private final double maxGradNorm;
  private final long seed;
  private final boolean rounds;
  private final NDManager scope = Torch.scope("optimizer");
  private final NDArray steps = scope.zeros(new Shape(), DataType.FLOAT32);
  private final Map<String, NDArray> masters = new LinkedHashMap<>();

  /**
   * @param rule closed with this
   * @param parameters leaves that gradients are collected for; changed in place
   * @param groups each parameter in one of them
   * @param maxGradNorm what the gradients' norm is clipped to; 0 for no clipping
   * @param seed what stochastic rounding follows from, together with the step
   */
  public GroupedOptimizer(
      Optimizer rule,
      Map<String, NDArray> parameters,
      List<ParameterGroup> groups,
      double maxGradNorm,
      NarrowParameters narrow,
      long seed) {
    if (!(maxGradNorm >= 0)) {
      throw new IllegalArgumentException("'max_grad_norm' must not be negative");
    }
    this.rule = rule;
    this.parameters = new LinkedHashMap<>(parameters);
    this.groups = groups.stream().filter(group -> !group.names().isEmpty()).toList();
    this.maxGradNorm = maxGradNorm;
    this.seed = seed;
    boolean chance = false;
    for (Map.Entry<String, NDArray> parameter : parameters.entrySet()) {
      rule.add(parameter.getKey(), parameter.getValue().getShape());
      if (Bfloat16.is(parameter.getValue())) {
        if (narrow == NarrowParameters.MASTER_WEIGHTS) {
          masters.put(parameter.getKey(), Bfloat16.widened(parameter.getValue(), scope));
        } else {
          chance = true;
        }
      }
    }
    this.rounds = chance;
  }

  /** The global norm of the gradients collected so far. */
  public double gradientNorm() {
    try (NDManager work = scope.newSubManager();
        Torch.GradMode mode = Torch.gradMode(false)) {
      Map<String, List<NDArray>> lists = Map.of("g", gradients(parameters.keySet(), work));
      return PROGRAM.runLists(work, "norm", new NDList(), lists).get(0).getFloat();
    }
  }

  /**
   * Clips the gradients, makes one update and drops the gradients.
   *
   * @param factor what the schedule multiplies every group's learning rate by
   * @param norm what {@link #gradientNorm} gave for these gradients
   */
  public void step(double factor, double norm) {
    try (NDManager work = scope.newSubManager();
        Torch.GradMode mode = Torch.gradMode(false)) {
      double clip = maxGradNorm == 0 ? 1 : maxGradNorm / (norm + 1e-6);
      if (clip < 1) {
        Map<String, List<NDArray>> lists = Map.of("g", gradients(parameters.keySet(), work));
        PROGRAM.runLists(work, "scale", new NDList(work.create(clip)), lists);
      }
      PROGRAM.run(work, "count", new NDList(steps), List.of());
      int number = (int) steps.getFloat();
      if (rounds) {
        Torch.seed(Seed.derive(Seed.derive(seed, "rounding".hashCode()), number));
      }
      for (ParameterGroup group : groups) {
        List<NDArray> gradients = gradients(group.names(), work);
        List<NDArray> updated =
            group.names().stream()
                .map(name -> masters.getOrDefault(name, parameters.get(name)))
                .toList();
        rule.update(
            work,
            new Optimizer.Batch(group.names(), updated, gradients),
            new Optimizer.Step(
                number,
                rule.learningRate(number, group.learningRate() * factor),
                group.weightDecay()));
      }
      publish(work);
    }
    dropGradients();
  }

  /** Drops the gradients without an update, which is then no step. */
  public void skip() {
    dropGradients();
  }

  private void dropGradients() {
    parameters.values().forEach(Torch::dropGradient);
  }

  /** What the last step took as learning rate where the schedule said {@code scheduled}. */
  public double learningRate(double scheduled) {
    return rule.learningRate((int) steps.getFloat(), scheduled);
  }

  private void publish(NDManager work) {
    if (!masters.isEmpty()) {
      Map<String, List<NDArray>> lists = new LinkedHashMap<>();
      lists.put("p", masters.keySet().stream().map(parameters::get).toList());
      lists.put("master", List.copyOf(masters.values()));
      PROGRAM.runLists(work, "publish", new NDList(), lists);
    }
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

  /**
   * Step count, master weights and the rule's state, for a checkpoint; the live arrays. Chance
   * needs none: it follows from the seed and the step.
   */
  public Map<String, NDArray> state() {
    Map<String, NDArray> state = new LinkedHashMap<>();
    state.put("optimizer.step", steps);
    masters.forEach((name, array) -> state.put("master." + name, array));
    state.putAll(rule.state());
    return state;
  }

  @Override
  public void close() {
    rule.close();
    scope.close();
  }
}
