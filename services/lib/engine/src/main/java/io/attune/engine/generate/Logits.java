package io.attune.engine.generate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.tensor.Program;
import io.attune.engine.tensor.TorchPrograms;

/**
 * Logits of the next token at one place, [V]. They stay in libtorch, whose passes over a vocabulary
 * are vectorized: only the few values that a choice needs cross over.
 */
public final class Logits {
  /** Parts of the vocabulary whose largest logits are compared first. */
  private static final int BLOCKS = 32;

  private static final Program PROGRAM =
      TorchPrograms.compile(
          """
            def row(self: SELF, x: Tensor, row: int) -> Tensor:
              return torch.select(x, 0, row)

            def largest(self: SELF, x: Tensor) -> Tuple[Tensor, Tensor]:
              value, id = torch.max(x, 0)
              return (value, id)

            def value(self: SELF, x: Tensor, id: int) -> Tensor:
              return torch.select(x, 0, id)

            def top(self: SELF, x: Tensor, k: int) -> Tuple[Tensor, Tensor]:
              values, ids = torch.topk(x, k)
              return (values, ids)

            def top_of_blocks(self: SELF, x: Tensor, k: int, blocks: int) -> Tuple[Tensor, Tensor]:
              n = torch.size(x, 0)
              m = n // blocks
              columns = torch.amax(torch.view(torch.slice(x, 0, 0, m * blocks), [blocks, m]), [0])
              largest, column = torch.topk(columns, k)
              starts = torch.mul(torch.arange(blocks), m)
              places = torch.view(torch.add(torch.unsqueeze(starts, 1), column), [-1])
              places = torch.cat([places, torch.arange(m * blocks, n)])
              values, at = torch.topk(torch.index_select(x, 0, places), k)
              return (values, torch.index_select(places, 0, at))

            def mass(self: SELF, x: Tensor, temperature: float) -> Tensor:
              x = torch.sub(x, torch.amax(x, [0]))
              return torch.sum(torch.exp_(torch.div_(x, temperature)))

            def log_sum(self: SELF, x: Tensor) -> Tensor:
              return torch.logsumexp(x, [0])

            def draw_below(self: SELF, x: Tensor, bound: float, temperature: float, mass: float) -> Tensor:
              weights = torch.exp_(torch.div_(torch.sub(x, torch.amax(x, [0])), temperature))
              weights = torch.masked_fill_(weights, torch.ge(x, bound), 0)
              reached = torch.cumsum(weights, 0, dtype=7)
              total = torch.select(reached, 0, -1)
              target = torch.clamp_max(torch.mul(torch.ones_like(total), mass), float(total) * 0.999999999999)
              return torch.searchsorted(reached, target, right=True)

            def adjust(self: SELF, x: Tensor, ids: Tensor, bias: Tensor, penalty: Tensor, minus: Tensor) -> Tensor:
              part = torch.add(torch.index_select(x, 0, ids), bias)
              part = torch.where(torch.lt(part, 0), torch.mul(part, penalty), torch.div(part, penalty))
              return torch.index_copy(x, 0, ids, torch.sub(part, minus))
          """);

  private final NDManager scope;
  private final NDArray values;
  private final int size;
  private int likeliest = -1;
  private float largest;
  private float logSum = Float.NaN;

  private Logits(NDManager scope, NDArray values) {
    this.scope = scope;
    this.values = values;
    this.size = Math.toIntExact(values.size());
  }

  /**
   * Logits of one row of a step.
   *
   * @param scope owns what is computed on the way
   * @param rows [B, V]
   */
  public static Logits row(NDManager scope, NDArray rows, int row) {
    return new Logits(scope, PROGRAM.infer(scope, "row", rows, row).get(0));
  }

  int size() {
    return size;
  }

  /**
   * The token of the largest logit.
   *
   * @throws EngineException DIVERGED if no logit is a finite number, or one is not a number
   */
  int argmax() {
    if (likeliest < 0) {
      NDList found = PROGRAM.infer(scope, "largest", values);
      largest = number(found.get(0));
      if (!Float.isFinite(largest)) {
        throw new EngineException(
            Reason.DIVERGED,
            "the largest logit is "
                + largest
                + ": the model's or the adapter's weights are broken");
      }
      likeliest = id(found.get(1));
    }
    return likeliest;
  }

  float get(int id) {
    return id == likeliest ? largest : number(PROGRAM.infer(scope, "value", values, id).get(0));
  }

  /** The likeliest tokens: k of them, or fewer where more than k would not differ. */
  Candidates top(int k) {
    int count = Math.min(k, size);
    // A column of blocks holds one of the k likeliest only if its largest is among the k largest.
    NDList found =
        size / BLOCKS < count
            ? PROGRAM.infer(scope, "top", values, count)
            : PROGRAM.infer(scope, "top_of_blocks", values, count, BLOCKS);
    return Candidates.of(found.get(1).toLongArray(), found.get(0).toFloatArray(), size);
  }

  /** Sum over the vocabulary of exp((logit - largest) / temperature). */
  double mass(double temperature) {
    return number(PROGRAM.infer(scope, "mass", values, temperature).get(0));
  }

  /** Logarithm of the sum over the vocabulary of exp(logit). */
  float logSumExp() {
    if (Float.isNaN(logSum)) {
      logSum = number(PROGRAM.infer(scope, "log_sum", values).get(0));
    }
    return logSum;
  }

  /**
   * Goes through the tokens below a logit by id.
   *
   * @param mass where to stop: a sum of exp((logit - largest) / temperature) over them
   * @return the token that exceeds it; the last possible one if none does
   */
  int drawBelow(float logit, double temperature, double mass) {
    return id(PROGRAM.infer(scope, "draw_below", values, (double) logit, temperature, mass).get(0));
  }

  /**
   * Logits of some tokens changed: x + bias, then times the penalty if negative and else divided by
   * it, then less {@code minus}.
   *
   * @param ids distinct; the other arrays belong to them
   */
  Logits adjusted(long[] ids, float[] bias, float[] penalty, float[] minus) {
    NDList changed =
        PROGRAM.infer(
            scope,
            "adjust",
            values,
            scope.create(ids),
            scope.create(bias),
            scope.create(penalty),
            scope.create(minus));
    return new Logits(scope, changed.get(0));
  }

  private static float number(NDArray scalar) {
    return scalar.toFloatArray()[0];
  }

  private static int id(NDArray scalar) {
    return Math.toIntExact(scalar.toLongArray()[0]);
  }
}
