package io.attune.engine.evaluate;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.data.SftExample;
import io.attune.engine.objective.Reading;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * How likely a model finds texts. The statistics of a text are its target tokens' negative
 * log-likelihood in nats, how many of them were the likeliest, and how many there are; so every
 * token counts the same, whatever text it is in.
 */
public final class Likelihood {
  /** Nats per token. */
  public static final Metric LOSS = new Ratio("loss", 0, 2);

  /** The exponential of {@link #LOSS}. */
  public static final Metric PERPLEXITY =
      new Metric() {
        @Override
        public String name() {
          return "perplexity";
        }

        @Override
        public double score(double[] sums) {
          return Math.exp(LOSS.score(sums));
        }
      };

  /** The share of tokens that were the likeliest. */
  public static final Metric TOKEN_ACCURACY = new Ratio("accuracy", 1, 2);

  /** Of {@link #preference}: the share of pairs whose chosen answer is likelier. */
  public static final Metric PREFERENCE_ACCURACY = new Ratio("accuracy", 0, 1);

  private Likelihood() {}

  /** Statistics of a text. */
  public static double[] statistics(Reading reading) {
    int right = 0;
    for (boolean correct : reading.correct()) {
      right += correct ? 1 : 0;
    }
    return new double[] {-reading.sum(), right, reading.values().length};
  }

  /** Statistics of two answers to one prompt: whether the chosen one is likelier, and 1. */
  public static double[] preference(Reading chosen, Reading rejected) {
    return new double[] {chosen.sum() > rejected.sum() ? 1 : 0, 1};
  }

  /**
   * Cuts a long text into windows that overlap, as Hugging Face's guide to the perplexity of
   * fixed-length models does: each window's targets are the tokens that no window before it had,
   * and the tokens before those are their context. The first token of a window is never a target.
   *
   * @param window tokens of a window
   * @param stride tokens from one window's start to the next one's, 1 to {@code window}; the
   *     smaller, the more context a token has and the longer it takes
   */
  public static List<SftExample> windows(int[] ids, int window, int stride) {
    if (window < 2 || stride < 1 || stride > window) {
      throw new EngineException(
          Reason.INVALID_ARGUMENT,
          "windows of "
              + window
              + " tokens with a stride of "
              + stride
              + "; a window needs 2 tokens, and the stride is 1 to the window");
    }
    List<SftExample> windows = new ArrayList<>();
    int read = 0;
    for (int start = 0; read < ids.length; start += stride) {
      int end = Math.min(start + window, ids.length);
      boolean[] targets = new boolean[end - start];
      Arrays.fill(targets, read - start, targets.length, true);
      windows.add(new SftExample(Arrays.copyOfRange(ids, start, end), targets));
      read = end;
    }
    return windows;
  }

  /** The sum of one statistic over that of another. */
  private record Ratio(String name, int over, int under) implements Metric {
    @Override
    public double score(double[] sums) {
      return sums[over] / sums[under];
    }
  }
}
