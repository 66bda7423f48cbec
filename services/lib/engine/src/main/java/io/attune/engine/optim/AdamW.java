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
 * AdamW (Loshchilov and Hutter, arXiv 1711.05101) with moments in float32: libtorch's fused kernel,
 * over all float32 parameters of a batch at once.
 */
public final class AdamW implements Optimizer {

  /** Settings under transformers' names and defaults. */
  public record Config(double adamBeta1, double adamBeta2, double adamEpsilon) {
    public static final Config DEFAULT = new Config(0.9, 0.999, 1e-8);

    public Config {
      if (!(adamBeta1 >= 0 && adamBeta1 < 1 && adamBeta2 >= 0 && adamBeta2 < 1)) {
        throw new IllegalArgumentException("'adam_beta1' and 'adam_beta2' must be in [0, 1)");
      }
      if (!(adamEpsilon > 0)) {
        throw new IllegalArgumentException("'adam_epsilon' must be positive");
      }
    }
  }

  /** Where epsilon and weight decay come in. */
  enum Form {
    /** Of torch: decay first; epsilon is added to the corrected second moment's root. */
    TORCH,
    /** Of galore-torch, once transformers': decay last; epsilon is added before the correction. */
    GALORE
  }

  /** Elements of a bfloat16 parameter that are widened at once. */
  private static final int PIECE = 1 << 18;

  private static final Program PROGRAM =
      TorchPrograms.compile(
          StochasticRounding.STORE
              + """
              def fused(self: SELF, hyper: Tensor, s: Tensor, p: List[Tensor], g: List[Tensor], m: List[Tensor], v: List[Tensor]) -> Tensor:
                steps = annotate(List[Tensor], [])
                for i in range(torch.len(p)):
                  a = torch.append(steps, s)
                none = annotate(List[Tensor], [])
                torch._fused_adamw_(p, g, m, v, none, steps, lr=float(hyper[0]), beta1=float(hyper[1]), beta2=float(hyper[2]), weight_decay=float(hyper[3]), eps=float(hyper[4]), amsgrad=False, maximize=False)
                if torch.ne(float(hyper[5]), 1.):
                  torch._foreach_mul_(p, float(hyper[5]))
                return hyper

              def pieces(self: SELF, hyper: Tensor, s: Tensor, p: Tensor, g: Tensor, m: Tensor, v: Tensor) -> Tensor:
                parameter = torch.view(p, [-1])
                gradient = torch.reshape(g, [-1])
                first = torch.view(m, [-1])
                second = torch.view(v, [-1])
                for i in range((torch.numel(p) + (PIECE - 1)) // PIECE):
                  start = i * PIECE
                  end = start + PIECE
                  target = torch.slice(parameter, 0, start, end)
                  x = torch.to(target, 6)
                  d = torch.to(torch.slice(gradient, 0, start, end), 6)
                  a = self.fused(hyper, s, [x], [d], [torch.slice(first, 0, start, end)], [torch.slice(second, 0, start, end)])
                  b = self.store(target, x)
                return p

              def update(self: SELF, hyper: Tensor, s: Tensor, p: List[Tensor], g: List[Tensor], m: List[Tensor], v: List[Tensor]) -> Tensor:
                p32 = annotate(List[Tensor], [])
                g32 = annotate(List[Tensor], [])
                m32 = annotate(List[Tensor], [])
                v32 = annotate(List[Tensor], [])
                for i in range(torch.len(p)):
                  wide = torch.eq(ops.prim.dtype(p[i]), 6)
                  if torch.ne(ops.prim.dtype(g[i]), 6):
                    wide = False
                  if wide:
                    a = torch.append(p32, p[i])
                    b = torch.append(g32, g[i])
                    c = torch.append(m32, m[i])
                    d = torch.append(v32, v[i])
                  else:
                    e = self.pieces(hyper, s, p[i], g[i], m[i], v[i])
                if torch.gt(torch.len(p32), 0):
                  f = self.fused(hyper, s, p32, g32, m32, v32)
                return hyper
              """
                  .replace("PIECE", Integer.toString(PIECE)));

  private final Config config;
  private final Form form;
  private final NDManager scope = Torch.scope("adamw");
  private final Map<String, NDArray> first = new LinkedHashMap<>();
  private final Map<String, NDArray> second = new LinkedHashMap<>();

  public AdamW(Config config) {
    this(config, Form.TORCH);
  }

  AdamW(Config config, Form form) {
    this.config = config;
    this.form = form;
  }

  @Override
  public void add(String name, Shape shape) {
    first.put(name, scope.zeros(shape, DataType.FLOAT32));
    second.put(name, scope.zeros(shape, DataType.FLOAT32));
  }

  @Override
  public void update(NDManager work, Batch batch, Step step) {
    Map<String, List<NDArray>> lists = new LinkedHashMap<>();
    lists.put("p", batch.parameters());
    lists.put("g", batch.gradients());
    lists.put("m", batch.names().stream().map(first::get).toList());
    lists.put("v", batch.names().stream().map(second::get).toList());
    NDList inputs = new NDList(work.create(hyper(step)), work.create((float) step.number()));
    PROGRAM.runLists(work, "update", inputs, lists);
  }

  /** Rate, two betas, decay, epsilon, and what parameters are multiplied by at the end. */
  private double[] hyper(Step step) {
    boolean last = form == Form.GALORE;
    double correction = Math.sqrt(1 - Math.pow(config.adamBeta2(), step.number()));
    return new double[] {
      step.learningRate(),
      config.adamBeta1(),
      config.adamBeta2(),
      last ? 0 : step.weightDecay(),
      last ? config.adamEpsilon() / correction : config.adamEpsilon(),
      last ? 1 - step.learningRate() * step.weightDecay() : 1
    };
  }

  @Override
  public Map<String, NDArray> state() {
    Map<String, NDArray> state = new LinkedHashMap<>();
    first.forEach((name, array) -> state.put("exp_avg." + name, array));
    second.forEach((name, array) -> state.put("exp_avg_sq." + name, array));
    return state;
  }

  @Override
  public void close() {
    scope.close();
  }
}
