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
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * GaLore (Zhao et al., arXiv 2403.03507) as galore-torch 1.0 computes it: gradients of matrices are
 * projected onto their leading singular vectors, another optimizer keeps its moments there, and its
 * update is projected back. The subspace is found anew every few steps; moments stay as they are.
 *
 * <p>Matrices are taken one after the other: only one gradient is there projected at a time.
 */
public final class GaLore implements Optimizer {

  /** Which sides of a matrix [rows, columns] are projected; names are galore-torch's. */
  public enum Projection {
    /** The shorter side, so that the longer one stays. */
    STD,
    /** The longer side. */
    REVERSE_STD,
    /** The columns. */
    RIGHT,
    /** The rows. */
    LEFT,
    /** Both. */
    FULL;

    private boolean left(boolean tall) {
      return switch (this) {
        case STD -> !tall;
        case REVERSE_STD -> tall;
        case RIGHT -> false;
        case LEFT, FULL -> true;
      };
    }
  }

  /**
   * Settings under galore-torch's names, with transformers' defaults.
   *
   * @param rank dimensions of the subspace; all of a side that is shorter
   * @param updateProjGap steps for which a subspace is kept
   * @param scale multiplies what is projected back
   */
  public record Config(int rank, int updateProjGap, double scale, Projection projType) {
    public static final Config DEFAULT = new Config(128, 200, 0.25, Projection.STD);

    public Config {
      if (rank < 1 || updateProjGap < 1 || !(scale > 0)) {
        throw new IllegalArgumentException(
            "'rank', 'update_proj_gap' and 'scale' of optim_args must be positive");
      }
    }
  }

  private static final Program PROGRAM =
      TorchPrograms.compile(
          StochasticRounding.STORE
              + """
              def bases(self: SELF, g: Tensor, left: Tensor, right: Tensor) -> Tensor:
                u, s, vh, = torch.linalg_svd(torch.to(g, 6), False)
                if torch.gt(torch.numel(left), 0):
                  a = torch.copy_(left, torch.slice(u, 1, 0, torch.size(left, 1)))
                if torch.gt(torch.numel(right), 0):
                  b = torch.copy_(right, torch.slice(vh, 0, 0, torch.size(right, 0)))
                return s

              def project(self: SELF, g: Tensor, left: Tensor, right: Tensor) -> Tensor:
                x = torch.to(g, 6)
                if torch.gt(torch.numel(left), 0):
                  x = torch.matmul(torch.t(left), x)
                if torch.gt(torch.numel(right), 0):
                  x = torch.matmul(x, torch.t(right))
                return x

              def back(self: SELF, p: Tensor, z: Tensor, left: Tensor, right: Tensor, hyper: Tensor) -> Tensor:
                x = torch.to(p, 6)
                if torch.eq(torch.numel(left), 0):
                  a = torch.addmm_(x, z, right, alpha=float(hyper[0]))
                elif torch.eq(torch.numel(right), 0):
                  b = torch.addmm_(x, left, z, alpha=float(hyper[0]))
                else:
                  c = torch.addmm_(x, torch.matmul(left, z), right, alpha=float(hyper[0]))
                if torch.ne(float(hyper[1]), 1.):
                  d = torch.mul_(x, float(hyper[1]))
                return self.store(p, x)
              """);

  private final Config config;
  private final Optimizer inner;
  private final Set<String> projected;
  private final NDManager scope = Torch.scope("galore");
  private final NDArray none = scope.zeros(new Shape(0), DataType.FLOAT32);
  private final Map<String, Bases> bases = new LinkedHashMap<>();

  /**
   * @param left [rows, R] with orthonormal columns, null where rows are not projected
   * @param right [R, columns] with orthonormal rows, null where columns are not
   */
  private record Bases(@Nullable NDArray left, @Nullable NDArray right) {}

  private GaLore(Config config, Optimizer inner, Set<String> projected) {
    this.config = config;
    this.inner = inner;
    this.projected = Set.copyOf(projected);
  }

  /**
   * GaLore over AdamW with moments in float32.
   *
   * @param projected names of matrices; all other parameters are updated as they are
   */
  public static GaLore adamW(Config config, AdamW.Config adam, Set<String> projected) {
    return new GaLore(config, new AdamW(adam, AdamW.Form.GALORE), projected);
  }

  /** GaLore over AdamW with moments in 8 bits; see {@link #adamW}. */
  public static GaLore adamW8bit(Config config, AdamW.Config adam, Set<String> projected) {
    return new GaLore(config, new AdamW8bit(adam, Set.of()), projected);
  }

  @Override
  public void add(String name, Shape shape) {
    if (!projected.contains(name)) {
      inner.add(name, shape);
      return;
    }
    if (shape.dimension() != 2) {
      throw new IllegalArgumentException(
          "parameter '" + name + "' of shape " + shape + " is no matrix to project");
    }
    long rows = shape.get(0);
    long columns = shape.get(1);
    long rank = Math.min(config.rank(), Math.min(rows, columns));
    boolean left = config.projType().left(rows >= columns);
    boolean right = !left || config.projType() == Projection.FULL;
    bases.put(
        name,
        new Bases(
            left ? scope.zeros(new Shape(rows, rank), DataType.FLOAT32) : null,
            right ? scope.zeros(new Shape(rank, columns), DataType.FLOAT32) : null));
    inner.add(name, new Shape(left ? rank : rows, right ? rank : columns));
  }

  @Override
  public void update(NDManager work, Batch batch, Step step) {
    Batch plain = new Batch(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
    for (int i = 0; i < batch.names().size(); i++) {
      String name = batch.names().get(i);
      NDArray parameter = batch.parameters().get(i);
      NDArray gradient = batch.gradients().get(i);
      if (bases.containsKey(name)) {
        updateProjected(name, parameter, gradient, step);
      } else {
        plain.names().add(name);
        plain.parameters().add(parameter);
        plain.gradients().add(gradient);
      }
    }
    if (!plain.names().isEmpty()) {
      inner.update(work, plain, step);
    }
  }

  private void updateProjected(String name, NDArray parameter, NDArray gradient, Step step) {
    Bases found = bases.get(name);
    NDArray left = found.left() == null ? none : found.left();
    NDArray right = found.right() == null ? none : found.right();
    try (NDManager work = scope.newSubManager()) {
      NDList inputs = new NDList(gradient, left, right);
      if ((step.number() - 1) % config.updateProjGap() == 0) {
        PROGRAM.run(work, "bases", inputs, List.of());
      }
      NDArray low = PROGRAM.run(work, "project", inputs, List.of()).get(0);
      NDArray change = work.zeros(low.getShape(), DataType.FLOAT32);
      inner.update(
          work, new Batch(List.of(name), List.of(change), List.of(low)), step.withoutDecay());
      NDArray hyper =
          work.create(new double[] {config.scale(), 1 - step.learningRate() * step.weightDecay()});
      PROGRAM.run(work, "back", new NDList(parameter, change, left, right, hyper), List.of());
    }
  }

  @Override
  public Map<String, NDArray> state() {
    Map<String, NDArray> state = new LinkedHashMap<>(inner.state());
    bases.forEach(
        (name, found) -> {
          if (found.left() != null) {
            state.put("ortho_matrix.left." + name, found.left());
          }
          if (found.right() != null) {
            state.put("ortho_matrix.right." + name, found.right());
          }
        });
    return state;
  }

  @Override
  public void close() {
    inner.close();
    scope.close();
  }
}
