package io.attune.engine.optim;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.attune.engine.tensor.DynamicMap;
import io.attune.engine.tensor.Program;
import io.attune.engine.tensor.Torch;
import io.attune.engine.tensor.TorchPrograms;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * AdamW whose moments take 8 bits each (Dettmers et al., arXiv 2110.02861), as bitsandbytes 0.50
 * computes it on CPU: blocks of 256 elements share a float32 scale, and each element is one of 256
 * values of the {@link DynamicMap}, signed for the first moment.
 *
 * <p>Parameters of fewer than 4096 elements keep moments in float32. Moments are widened a piece at
 * a time, which stays in the processor's cache.
 */
public final class AdamW8bit implements Optimizer {
  /** Elements that share a scale. */
  static final int BLOCK = 256;

  /** Elements from which moments are held in 8 bits ({@code min_8bit_size}). */
  static final int SMALLEST = 4096;

  /** Elements that are widened at once; whole blocks. */
  private static final int PIECE = 1 << 16;

  private static final Program PROGRAM =
      TorchPrograms.compile(
          StochasticRounding.STORE
              + """
              def wide(self: SELF, codes: Tensor, scale: Tensor, values: Tensor, width: int) -> Tensor:
                x = torch.index_select(values, 0, torch.to(codes, 3))
                return torch.mul_(torch.view(x, [-1, width]), torch.unsqueeze(scale, 1))

              def narrow(self: SELF, x: Tensor, codes: Tensor, scale: Tensor, table: Tensor) -> Tensor:
                largest = torch.amax(torch.abs(x), [1])
                a = torch.copy_(scale, largest)
                some = torch.ne(largest, 0)
                inverse = torch.where(some, torch.reciprocal(largest), largest)
                unit = torch.clamp_(torch.mul_(x, torch.unsqueeze(inverse, 1)), -1, 1)
                place = torch.mul_(torch.mul_(torch.add_(unit, 1), 0.5), 65535)
                index = torch.to(torch.add_(place, 0.5), 3)
                found = torch.view(torch.index_select(table, 0, torch.view(index, [-1])), torch.size(x))
                b = torch.mul_(found, torch.unsqueeze(torch.to(some, 0), 1))
                return torch.copy_(codes, torch.view(found, [-1]))

              def piece(self: SELF, hyper: Tensor, p: Tensor, g: Tensor, c: Tensor, cs: Tensor, d: Tensor, ds: Tensor, t: List[Tensor], width: int) -> Tensor:
                beta1 = float(hyper[1])
                beta2 = float(hyper[2])
                m = self.wide(c, cs, t[0], width)
                v = self.wide(d, ds, t[1], width)
                gradient = torch.view(torch.to(g, 6), [-1, width])
                first = torch.add_(torch.mul_(m, beta1), gradient, alpha=1. - beta1)
                second = torch.addcmul_(torch.mul_(v, beta2), gradient, gradient, value=1. - beta2)
                root = torch.add_(torch.div_(torch.sqrt(v), float(hyper[6])), float(hyper[4]))
                wide = torch.to(p, 6)
                x = torch.view(wide, [-1, width])
                if torch.ne(float(hyper[3]), 0.):
                  decayed = torch.mul_(x, 1. - float(hyper[0]) * float(hyper[3]))
                changed = torch.addcdiv_(x, m, root, value=float(hyper[5]))
                stored = self.store(p, wide)
                e = self.narrow(m, c, cs, t[2])
                return self.narrow(v, d, ds, t[3])

              def one(self: SELF, hyper: Tensor, p: Tensor, g: Tensor, c: Tensor, cs: Tensor, d: Tensor, ds: Tensor, t: List[Tensor]) -> Tensor:
                n = torch.numel(p)
                whole = n // BLOCK * BLOCK
                pf = torch.view(p, [-1])
                gf = torch.reshape(g, [-1])
                for i in range((whole + (PIECE - 1)) // PIECE):
                  a = i * PIECE
                  b = a + PIECE
                  if torch.gt(b, whole):
                    b = whole
                  k = a // BLOCK
                  l = b // BLOCK
                  done = self.piece(hyper, torch.slice(pf, 0, a, b), torch.slice(gf, 0, a, b), torch.slice(c, 0, a, b), torch.slice(cs, 0, k, l), torch.slice(d, 0, a, b), torch.slice(ds, 0, k, l), t, BLOCK)
                if torch.gt(n, whole):
                  k = whole // BLOCK
                  rest = self.piece(hyper, torch.slice(pf, 0, whole), torch.slice(gf, 0, whole), torch.slice(c, 0, whole), torch.slice(cs, 0, k), torch.slice(d, 0, whole), torch.slice(ds, 0, k), t, n - whole)
                return p

              def update(self: SELF, hyper: Tensor, p: List[Tensor], g: List[Tensor], c: List[Tensor], cs: List[Tensor], d: List[Tensor], ds: List[Tensor], t: List[Tensor]) -> Tensor:
                for i in range(torch.len(p)):
                  a = self.one(hyper, p[i], g[i], c[i], cs[i], d[i], ds[i], t)
                return hyper
              """
                  .replace("PIECE", Integer.toString(PIECE))
                  .replace("BLOCK", Integer.toString(BLOCK)));

  private final AdamW.Config config;
  private final Set<String> in32Bits;
  private final AdamW small;
  private final NDManager scope = Torch.scope("adamw8bit");
  private final List<NDArray> tables;
  private final Map<String, Quantized> first = new LinkedHashMap<>();
  private final Map<String, Quantized> second = new LinkedHashMap<>();

  private record Quantized(NDArray codes, NDArray scales) {}

  /**
   * @param in32Bits parameters whose moments stay in float32 whatever their size
   */
  public AdamW8bit(AdamW.Config config, Set<String> in32Bits) {
    this.config = config;
    this.in32Bits = Set.copyOf(in32Bits);
    this.small = new AdamW(config);
    float[] signed = DynamicMap.values(true);
    float[] unsigned = DynamicMap.values(false);
    this.tables =
        List.of(
            scope.create(signed),
            scope.create(unsigned),
            bytes(DynamicMap.codes(signed)),
            bytes(DynamicMap.codes(unsigned)));
  }

  private NDArray bytes(byte[] values) {
    ByteBuffer direct = ByteBuffer.allocateDirect(values.length).put(values).flip();
    return scope.create(direct, new Shape(values.length), DataType.UINT8);
  }

  @Override
  public void add(String name, Shape shape) {
    if (shape.size() < SMALLEST || in32Bits.contains(name)) {
      small.add(name, shape);
    } else {
      first.put(name, zeros(shape.size()));
      second.put(name, zeros(shape.size()));
    }
  }

  private Quantized zeros(long size) {
    return new Quantized(
        scope.zeros(new Shape(size), DataType.UINT8),
        scope.zeros(new Shape((size + BLOCK - 1) / BLOCK), DataType.FLOAT32));
  }

  @Override
  public void update(NDManager work, Batch batch, Step step) {
    Batch whole = new Batch(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
    Batch narrow = new Batch(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
    for (int i = 0; i < batch.names().size(); i++) {
      Batch part = first.containsKey(batch.names().get(i)) ? narrow : whole;
      part.names().add(batch.names().get(i));
      part.parameters().add(batch.parameters().get(i));
      part.gradients().add(batch.gradients().get(i));
    }
    if (!whole.names().isEmpty()) {
      small.update(work, whole, step);
    }
    if (narrow.names().isEmpty()) {
      return;
    }
    Map<String, List<NDArray>> lists = new LinkedHashMap<>();
    lists.put("p", narrow.parameters());
    lists.put("g", narrow.gradients());
    lists.put("c", narrow.names().stream().map(name -> first.get(name).codes()).toList());
    lists.put("cs", narrow.names().stream().map(name -> first.get(name).scales()).toList());
    lists.put("d", narrow.names().stream().map(name -> second.get(name).codes()).toList());
    lists.put("ds", narrow.names().stream().map(name -> second.get(name).scales()).toList());
    lists.put("t", tables);
    PROGRAM.runLists(work, "update", new NDList(work.create(hyper(step))), lists);
  }

  private double[] hyper(Step step) {
    double correction1 = 1 - Math.pow(config.adamBeta1(), step.number());
    double correction2 = Math.sqrt(1 - Math.pow(config.adamBeta2(), step.number()));
    return new double[] {
      step.learningRate(),
      config.adamBeta1(),
      config.adamBeta2(),
      step.weightDecay(),
      config.adamEpsilon(),
      -step.learningRate() / correction1,
      correction2
    };
  }

  /** Codes as {@code state1} and {@code state2}, scales as {@code absmax1} and {@code absmax2}. */
  @Override
  public Map<String, NDArray> state() {
    Map<String, NDArray> state = new LinkedHashMap<>(small.state());
    first.forEach(
        (name, moment) -> {
          state.put("state1." + name, moment.codes());
          state.put("absmax1." + name, moment.scales());
        });
    second.forEach(
        (name, moment) -> {
          state.put("state2." + name, moment.codes());
          state.put("absmax2." + name, moment.scales());
        });
    return state;
  }

  @Override
  public void close() {
    small.close();
    scope.close();
  }
}
