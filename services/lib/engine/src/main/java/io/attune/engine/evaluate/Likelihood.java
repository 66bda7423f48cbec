package io.attune.engine.evaluate;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.data.Examples;
import io.attune.engine.data.PreferencePair;
import io.attune.engine.data.Row;
import io.attune.engine.data.SftExample;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.Function;

/**
 * How likely a model finds what rows say: perplexity and accuracy. Rows are all preferences, or
 * none is. Single-threaded.
 */
public final class Likelihood {
  private final Examples examples;
  private final Function<int[], float[]> logits;
  private final int vocabulary;
  private double negativeLogLikelihood;
  private long tokens;
  private long right;
  private long rows;
  private long preferences;

  /**
   * @param logits of a sequence, [T][V] in one row-major array
   */
  public Likelihood(Examples examples, Function<int[], float[]> logits, int vocabulary) {
    this.examples = examples;
    this.logits = logits;
    this.vocabulary = vocabulary;
  }

  /**
   * Reads a row; one of which nothing fits the maximum length is left out.
   *
   * @param where names file and row in messages
   */
  public void add(Row row, String where) {
    boolean preference = row instanceof Row.Preference;
    if (rows > 0 && preference != preferences > 0) {
      throw new EngineException(
          Reason.INVALID_ARGUMENT, where + ": preferences and other rows cannot be mixed");
    }
    if (preference) {
      examples.preference(row).ifPresent(this::compare);
    } else {
      Optional<SftExample> example = examples.sft(row);
      example.ifPresent(e -> read(e.inputIds(), e.targets()));
      rows += example.isPresent() ? 1 : 0;
    }
  }

  /** Reads consecutive tokens of a long text: all but the first are predicted. */
  public void addWindow(int[] ids) {
    boolean[] targets = new boolean[ids.length];
    Arrays.fill(targets, true);
    read(ids, targets);
    rows++;
  }

  private void compare(PreferencePair pair) {
    double chosen = logProbability(pair.promptIds(), pair.chosenIds());
    double rejected = logProbability(pair.promptIds(), pair.rejectedIds());
    right += chosen > rejected ? 1 : 0;
    rows++;
    preferences++;
  }

  private double logProbability(int[] prompt, int[] completion) {
    int[] ids = Arrays.copyOf(prompt, prompt.length + completion.length);
    System.arraycopy(completion, 0, ids, prompt.length, completion.length);
    float[] values = logits.apply(ids);
    double sum = 0;
    for (int t = prompt.length; t < ids.length; t++) {
      sum += logProbability(values, t - 1, ids[t]);
    }
    return sum;
  }

  private void read(int[] ids, boolean[] targets) {
    float[] values = logits.apply(ids);
    for (int t = 1; t < ids.length; t++) {
      if (targets[t]) {
        negativeLogLikelihood -= logProbability(values, t - 1, ids[t]);
        right += likeliest(values, t - 1) == ids[t] ? 1 : 0;
        tokens++;
      }
    }
  }

  private double logProbability(float[] values, int position, int token) {
    int from = position * vocabulary;
    double max = values[from + likeliest(values, position)];
    double sum = 0;
    for (int v = from; v < from + vocabulary; v++) {
      sum += Math.exp(values[v] - max);
    }
    return values[from + token] - max - Math.log(sum);
  }

  private int likeliest(float[] values, int position) {
    int from = position * vocabulary;
    int best = from;
    for (int v = from + 1; v < from + vocabulary; v++) {
      best = values[v] > values[best] ? v : best;
    }
    return best - from;
  }

  /** The exponential of the mean negative log-likelihood of a learned token. */
  public double perplexity() {
    if (tokens == 0) {
      throw new EngineException(
          Reason.INVALID_ARGUMENT, "perplexity needs rows of text, not preferences");
    }
    return Math.exp(negativeLogLikelihood / tokens);
  }

  /** Of preferences, how often the chosen answer is likelier; else of tokens, the likeliest. */
  public double accuracy() {
    long of = preferences > 0 ? preferences : tokens;
    if (of == 0) {
      throw new EngineException(Reason.TOO_LITTLE_DATA, "no row fits the maximum length");
    }
    return (double) right / of;
  }

  public long rows() {
    return rows;
  }

  /** Tokens that were predicted; 0 for preferences. */
  public long tokens() {
    return tokens;
  }
}
