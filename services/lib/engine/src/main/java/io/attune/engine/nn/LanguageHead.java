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
            def logits(self: SELF, h: Tensor, start: Tensor, end: Tensor, w: List[Tensor]) -> Tensor:
              return torch.linear(torch.slice(h, 0, int(start), int(end)), w[0])

            def select(self: SELF, h: Tensor, places: Tensor) -> Tensor:
              return torch.index_select(h, 0, places)

            def log_probs(self: SELF, h: Tensor, labels: Tensor, chunk: Tensor, gradient: Tensor, w: List[Tensor]) -> Tuple[Tensor, Tensor, Tensor]:
              head = w[0]
              size = int(chunk)
              wanted = int(gradient)
              n = torch.size(h, 0)
              log_probs = torch.zeros([n])
              correct = torch.zeros([n])
              unit = torch.zeros([0])
              if wanted > 0:
                unit = torch.empty_like(h)
              for i in range((n + size - 1) // size):
                a = i * size
                b = min(a + size, n)
                hc = torch.slice(h, 0, a, b)
                lc = torch.slice(labels, 0, a, b)
                logits = torch.linear(hc, head)
                lse = torch.logsumexp(logits, [1], True)
                picked = torch.gather(logits, 1, torch.unsqueeze(lc, 1))
                x = torch.copy_(torch.slice(log_probs, 0, a, b), torch.squeeze(picked - lse, 1))
                y = torch.copy_(torch.slice(correct, 0, a, b), torch.squeeze(torch.ge(picked, torch.amax(logits, [1], True)), 1))
                if wanted > 0:
                  p = torch.exp_(torch.sub_(logits, lse))
                  z = torch.copy_(torch.slice(unit, 0, a, b), torch.addmm(torch.embedding(head, lc), p, head, alpha=-1))
              return (log_probs, correct, unit)

            def head_gradient(self: SELF, h: Tensor, labels: Tensor, weight: Tensor, chunk: Tensor, w: List[Tensor]) -> Tensor:
              head = w[0]
              size = int(chunk)
              n = torch.size(h, 0)
              result = torch.zeros_like(head)
              for i in range((n + size - 1) // size):
                a = i * size
                b = min(a + size, n)
                hc = torch.slice(h, 0, a, b)
                lc = torch.slice(labels, 0, a, b)
                wc = torch.unsqueeze(torch.slice(weight, 0, a, b), 1)
                p = torch.softmax(torch.linear(hc, head), 1)
                p = torch.mul_(p, torch.neg(wc))
                x = torch.addmm_(result, torch.t(p), hc)
                y = torch.index_add_(result, 0, lc, hc * wc)
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
   */
  public record Reading(NDArray logProbs, NDArray correct, NDArray unitGradient) {}

  /** Logits of tokens {@code start} to {@code end} of {@code hidden} [N, E], [end - start, V]. */
  public static NDArray logits(NDManager scope, NDArray hidden, NDArray head, int start, int end) {
    NDList inputs = new NDList(hidden, scope.create((long) start), scope.create((long) end));
    return PROGRAM.run(scope, "logits", inputs, List.of(head)).get(0);
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
      NDManager scope, NDArray hidden, NDArray labels, NDArray head, boolean gradient) {
    NDList inputs =
        new NDList(hidden, labels, chunk(scope, head), scope.create(gradient ? 1L : 0L));
    NDList result = PROGRAM.run(scope, "log_probs", inputs, List.of(head));
    return new Reading(result.get(0), result.get(1), result.get(2));
  }

  /**
   * Derivative with respect to the head's weight of the sum of weighted log-probabilities; the
   * logits are computed again, because the weights follow from them.
   *
   * @param weight [M]
   * @return [V, E]
   */
  public static NDArray headGradient(
      NDManager scope, NDArray hidden, NDArray labels, NDArray weight, NDArray head) {
    NDList inputs = new NDList(hidden, labels, weight, chunk(scope, head));
    return PROGRAM.run(scope, "head_gradient", inputs, List.of(head)).get(0);
  }

  private static NDArray chunk(NDManager scope, NDArray head) {
    long rowBytes = head.getShape().get(0) * Float.BYTES;
    return scope.create(Math.max(32, CHUNK_BYTES / rowBytes));
  }
}
