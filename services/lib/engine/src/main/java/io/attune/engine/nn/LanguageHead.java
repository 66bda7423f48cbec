package io.attune.engine.nn;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.attune.engine.tensor.Program;
import io.attune.engine.tensor.TorchPrograms;
import java.util.List;

/**
 * From hidden states to log-probabilities of given tokens, in chunks: logits, V times as large as
 * their input, never exist for more than a chunk of tokens.
 *
 * <p>The gradient with respect to a hidden state, W[label] - softmax(logits) W, is taken while its
 * chunk's logits are there; it only waits to be multiplied with what the objective says about that
 * token. So there is one pass over the vocabulary, and no autograd inside.
 */
public final class LanguageHead {
  /** Bytes of logits that exist at once. */
  private static final long CHUNK_BYTES = 32L << 20;

  private static final Program PROGRAM =
      TorchPrograms.compile(
          """
            def capped(self: SELF, h: Tensor, cap: float, w: List[Tensor]) -> Tensor:
              logits = torch.linear(h, torch.type_as(w[0], h))
              if len(w) > 1:
                logits = torch.add_(logits, w[1])
              logits = torch.to(logits, 6)
              if cap > 0.0:
                logits = torch.mul_(torch.tanh_(torch.div_(logits, cap)), cap)
              return logits

            def logits(self: SELF, h: Tensor, start: Tensor, end: Tensor, cap: Tensor, w: List[Tensor]) -> Tensor:
              return self.capped(torch.slice(h, 0, int(start), int(end)), float(cap), w)

            def select(self: SELF, h: Tensor, places: Tensor) -> Tensor:
              return torch.index_select(h, 0, places)

            def slope(self: SELF, logits: Tensor, lse: Tensor, labels: Tensor, cap: float, smooth: float) -> Tensor:
              p = torch.rsub(torch.exp(torch.sub(logits, lse)), smooth / torch.size(logits, 1))
              p = torch.scatter_add_(p, 1, torch.unsqueeze(labels, 1), torch.full([torch.size(p, 0), 1], 1.0 - smooth))
              return torch.mul_(p, torch.rsub(torch.square(torch.div(logits, cap)), 1))

            def log_probs(self: SELF, h: Tensor, labels: Tensor, chunk: Tensor, gradient: Tensor, smoothing: Tensor, softcap: Tensor, temperature: Tensor, spread: Tensor, w: List[Tensor]) -> Tuple[Tensor, Tensor, Tensor, Tensor]:
              head = torch.type_as(w[0], h)
              narrowed = [head]
              if len(w) > 1:
                narrowed = [head, w[1]]
              size = int(chunk)
              wanted = int(gradient)
              smooth = float(smoothing)
              cap = float(softcap)
              heat = float(temperature)
              spreads = int(spread)
              n = torch.size(h, 0)
              entropy = torch.zeros([0])
              if spreads > 0:
                entropy = torch.zeros([n])
              log_probs = torch.zeros([n])
              correct = torch.zeros([n])
              unit = torch.zeros([0])
              if wanted > 0:
                unit = torch.empty_like(h)
              for i in range((n + size - 1) // size):
                a = i * size
                b = min(a + size, n)
                lc = torch.slice(labels, 0, a, b)
                logits = self.capped(torch.slice(h, 0, a, b), cap, narrowed)
                if heat != 1.0:
                  logits = torch.div_(logits, heat)
                lse = torch.logsumexp(logits, [1], True)
                picked = torch.gather(logits, 1, torch.unsqueeze(lc, 1))
                said = picked
                if smooth > 0.0:
                  said = torch.lerp(picked, torch.mean(logits, [1], True), smooth)
                x = torch.copy_(torch.slice(log_probs, 0, a, b), torch.squeeze(said - lse, 1))
                y = torch.copy_(torch.slice(correct, 0, a, b), torch.squeeze(torch.ge(picked, torch.amax(logits, [1], True)), 1))
                p = logits
                if spreads > 0:
                  p = torch.exp_(torch.sub(logits, lse))
                  mean = torch.bmm(torch.unsqueeze(p, 1), torch.unsqueeze(logits, 2))
                  e = torch.copy_(torch.slice(entropy, 0, a, b), torch.sub(torch.squeeze(lse, 1), torch.view(mean, [-1])))
                if wanted > 0:
                  if cap > 0.0:
                    z = torch.copy_(torch.slice(unit, 0, a, b), torch.mm(torch.type_as(self.slope(logits, lse, lc, cap / heat, smooth), head), head))
                  else:
                    if spreads == 0:
                      p = torch.exp_(torch.sub_(logits, lse))
                    own = torch.embedding(head, lc)
                    if smooth > 0.0:
                      p = torch.sub_(p, smooth / torch.size(head, 0))
                      own = torch.mul(own, 1.0 - smooth)
                    z = torch.copy_(torch.slice(unit, 0, a, b), torch.addmm(own, torch.type_as(p, head), head, alpha=-1))
              if wanted > 0 and heat != 1.0:
                unit = torch.div_(unit, heat)
              return (log_probs, correct, unit, entropy)

            def head_gradient(self: SELF, h: Tensor, labels: Tensor, weight: Tensor, chunk: Tensor, smoothing: Tensor, softcap: Tensor, temperature: Tensor, w: List[Tensor]) -> Tensor:
              size = int(chunk)
              smooth = float(smoothing)
              cap = float(softcap)
              heat = float(temperature)
              n = torch.size(h, 0)
              result = torch.zeros_like(w[0])
              for i in range((n + size - 1) // size):
                a = i * size
                b = min(a + size, n)
                hc = torch.slice(h, 0, a, b)
                lc = torch.slice(labels, 0, a, b)
                wc = torch.unsqueeze(torch.slice(weight, 0, a, b), 1)
                logits = self.capped(hc, cap, w)
                if heat != 1.0:
                  logits = torch.div_(logits, heat)
                if cap > 0.0:
                  g = torch.mul_(self.slope(logits, torch.logsumexp(logits, [1], True), lc, cap / heat, smooth), wc)
                  x = torch.addmm_(result, torch.t(g), hc)
                else:
                  p = torch.softmax(logits, 1)
                  if smooth > 0.0:
                    p = torch.sub_(p, smooth / torch.size(p, 1))
                  p = torch.mul_(p, torch.neg(wc))
                  x = torch.addmm_(result, torch.t(p), hc)
                  y = torch.index_add_(result, 0, lc, torch.mul(hc, wc * (1.0 - smooth)))
              if heat != 1.0:
                result = torch.div_(result, heat)
              return result
          """);

  private LanguageHead() {}

  /**
   * What the head says about labelled tokens.
   *
   * @param logProbs [M]
   * @param correct [M]: 1 where the label has the largest logit
   * @param unitGradient [M, E]: derivative of each token's log-probability with respect to its
   *     hidden state; empty if not asked for
   * @param entropy [M]: of the distribution over the vocabulary, in nats; empty if not asked for
   */
  public record Reading(NDArray logProbs, NDArray correct, NDArray unitGradient, NDArray entropy) {}

  /**
   * From what distribution labels are read, and what of it is wanted.
   *
   * @param smoothing e: log-probabilities are (1 - e) log p(label) + e mean over the vocabulary of
   *     log p
   * @param temperature what the logits are divided by
   * @param entropy whether that of the distribution is wanted
   */
  public record Distribution(double smoothing, double temperature, boolean entropy) {
    public static final Distribution PLAIN = new Distribution(0, 1, false);

    public Distribution {
      if (!(temperature > 0)) {
        throw new IllegalArgumentException("a temperature must be above 0, not " + temperature);
      }
    }

    static Distribution smoothed(double smoothing) {
      return new Distribution(smoothing, 1, false);
    }
  }

  /** Logits of tokens {@code start} to {@code end} of {@code hidden} [N, E], [end - start, V]. */
  public static NDArray logits(NDManager scope, NDArray hidden, Head head, int start, int end) {
    NDList inputs = new NDList(hidden, scope.create((long) start), scope.create((long) end));
    inputs.add(scope.create(head.softcap()));
    return PROGRAM.run(scope, "logits", inputs, weights(head)).get(0);
  }

  /** Rows of {@code hidden} [N, E], recorded where the thread's grad mode is on: [M, E]. */
  public static NDArray select(NDManager scope, NDArray hidden, NDArray places) {
    return PROGRAM.run(scope, "select", new NDList(hidden, places), List.of()).get(0);
  }

  /**
   * Reads labels off hidden states. To be called with grad mode off.
   *
   * @param hidden [M, E]
   * @param labels [M], int64
   */
  public static Reading read(
      NDManager scope, NDArray hidden, NDArray labels, Head head, boolean gradient) {
    return read(scope, hidden, labels, head, gradient, 0);
  }

  /**
   * As {@link #read(NDManager, NDArray, NDArray, Head, boolean)}, where each log-probability is
   * smoothed: (1 - e) log p(label) + e mean over the vocabulary of log p.
   *
   * @param smoothing e
   */
  public static Reading read(
      NDManager scope,
      NDArray hidden,
      NDArray labels,
      Head head,
      boolean gradient,
      double smoothing) {
    return read(scope, hidden, labels, head, gradient, Distribution.smoothed(smoothing));
  }

  /**
   * As {@link #read(NDManager, NDArray, NDArray, Head, boolean)}, off a distribution of the
   * caller's choice.
   */
  public static Reading read(
      NDManager scope,
      NDArray hidden,
      NDArray labels,
      Head head,
      boolean gradient,
      Distribution distribution) {
    NDList inputs =
        new NDList(hidden, labels, chunk(scope, head), scope.create(gradient ? 1L : 0L));
    inputs.add(scope.create(distribution.smoothing()));
    inputs.add(scope.create(head.softcap()));
    inputs.add(scope.create(distribution.temperature()));
    inputs.add(scope.create(distribution.entropy() ? 1L : 0L));
    NDList result = PROGRAM.run(scope, "log_probs", inputs, weights(head));
    return new Reading(result.get(0), result.get(1), result.get(2), result.get(3));
  }

  /**
   * Derivative with respect to the head's weight of the sum of weighted log-probabilities; the
   * logits are computed again, because the weights follow from them.
   *
   * @param weight [M]
   * @param smoothing as in {@link #read(NDManager, NDArray, NDArray, Head, boolean, double)}
   * @return [V, E]
   */
  public static NDArray headGradient(
      NDManager scope,
      NDArray hidden,
      NDArray labels,
      NDArray weight,
      Head head,
      double smoothing) {
    return headGradient(scope, hidden, labels, weight, head, Distribution.smoothed(smoothing));
  }

  /** As the other, of a distribution as in {@link #read}. */
  public static NDArray headGradient(
      NDManager scope,
      NDArray hidden,
      NDArray labels,
      NDArray weight,
      Head head,
      Distribution distribution) {
    NDList inputs = new NDList(hidden, labels, weight, chunk(scope, head));
    inputs.add(scope.create(distribution.smoothing()));
    inputs.add(scope.create(head.softcap()));
    inputs.add(scope.create(distribution.temperature()));
    return PROGRAM.run(scope, "head_gradient", inputs, weights(head)).get(0);
  }

  private static List<NDArray> weights(Head head) {
    return head.bias() == null ? List.of(head.weight()) : List.of(head.weight(), head.bias());
  }

  private static NDArray chunk(NDManager scope, Head head) {
    long rowBytes = head.weight().getShape().get(0) * Float.BYTES;
    return scope.create(Math.max(32, CHUNK_BYTES / rowBytes));
  }
}
