package io.attune.engine.generate;

import io.attune.engine.EngineException;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Chooses the tokens of one text. What it chooses follows from the parameters, the prompt, the
 * logits and, where it draws, one number of its own generator for each token: never from other
 * texts. Single-threaded.
 *
 * <p>Nothing sorts the vocabulary. A drawn number stands for a place in the tokens by descending
 * probability, which is most often among the first few; only as many as are needed are fetched.
 */
public final class Sampler {
  private static final SecureRandom SEEDS = new SecureRandom();

  /** Candidates to begin with. A constant: the order of the tokens below them depends on it. */
  private static final int FIRST = 64;

  /** How many times more candidates are fetched when they were too few. */
  private static final int MORE = 8;

  private final SamplingParameters parameters;
  private final Adjustments adjustments;
  private final Truncation truncation;
  private final SplittableRandom random;

  /**
   * @param prompt the text's first tokens, which the repetition penalty counts as seen
   */
  public Sampler(SamplingParameters parameters, int[] prompt) {
    this.parameters = parameters;
    this.adjustments = new Adjustments(parameters, prompt);
    this.truncation = new Truncation(parameters);
    this.random = new SplittableRandom(parameters.seed().orElseGet(SEEDS::nextLong));
  }

  /**
   * Chooses the next token of the text.
   *
   * @throws EngineException DIVERGED if the logits are no finite numbers
   */
  public SampledToken next(Logits logits) {
    Logits adjusted = adjustments.apply(logits);
    int id = choose(logits, adjusted);
    float logSumExp = logits.logSumExp();
    float told =
        parameters.processedLogProbabilities() ? drawn(adjusted, id) : logits.get(id) - logSumExp;
    return new SampledToken(id, told, top(logits, logSumExp));
  }

  /** As {@link #next}, for whom the token alone matters. */
  public int nextId(Logits logits) {
    return choose(logits, adjustments.apply(logits));
  }

  private int choose(Logits logits, Logits adjusted) {
    int best = logits.argmax();
    int id;
    if (parameters.temperature() > 0) {
      id = draw(adjusted, random.nextDouble());
    } else {
      id = adjusted == logits ? best : adjusted.argmax();
    }
    adjustments.wrote(id);
    return id;
  }

  /** With which log-probability a token comes from all; the greedy choice is certain. */
  private float drawn(Logits logits, int id) {
    if (parameters.temperature() == 0) {
      return 0;
    }
    if (parameters.temperature() == 1) {
      return logits.get(id) - logits.logSumExp();
    }
    double behind = logits.get(id) - logits.get(logits.argmax());
    double temperature = truncation.temperature();
    return (float) (behind / temperature - Math.log(logits.mass(temperature)));
  }

  /**
   * @param u uniform in [0, 1)
   */
  private int draw(Logits logits, double u) {
    if (truncation.keepsAll()) {
      return drawFromAll(logits, u);
    }
    double mass = truncation.needsMass() ? logits.mass(truncation.temperature()) : Double.NaN;
    int k = Math.max(FIRST, Math.min(parameters.topK(), logits.size()) + 1);
    while (true) {
      Candidates candidates = logits.top(k);
      Truncation.Kept kept = truncation.keep(candidates, mass);
      if (kept != null) {
        return candidates.ids()[place(kept.weights(), kept.size(), u * kept.sum())];
      }
      k *= MORE;
    }
  }

  private int drawFromAll(Logits logits, double u) {
    Candidates candidates = logits.top(FIRST);
    double[] weights = truncation.weights(candidates.logits());
    int size = weights.length;
    double sum = Arrays.stream(weights).sum();
    double target = u * (candidates.whole() ? sum : logits.mass(truncation.temperature()));
    if (candidates.whole() || target < sum) {
      return candidates.ids()[place(weights, size, target)];
    }
    float bound = size == 0 ? Float.POSITIVE_INFINITY : candidates.logits()[size - 1];
    return logits.drawBelow(bound, truncation.temperature(), target - sum);
  }

  /**
   * Where the sum of weights exceeds the target; the last that can be drawn if rounding hides it.
   */
  private static int place(double[] weights, int size, double target) {
    double left = target;
    int last = 0;
    for (int i = 0; i < size && weights[i] > 0; i++) {
      left -= weights[i];
      if (left < 0) {
        return i;
      }
      last = i;
    }
    return last;
  }

  private List<TokenLogProbability> top(Logits logits, float logSumExp) {
    int wanted = parameters.topLogProbabilities();
    if (wanted == 0) {
      return List.of();
    }
    Candidates candidates = logits.top(FIRST);
    for (int k = FIRST; candidates.size() < wanted && !candidates.whole(); k *= MORE) {
      candidates = logits.top(k * MORE);
    }
    List<TokenLogProbability> top = new ArrayList<>();
    for (int i = 0; i < Math.min(wanted, candidates.size()); i++) {
      top.add(new TokenLogProbability(candidates.ids()[i], candidates.logits()[i] - logSumExp));
    }
    return List.copyOf(top);
  }
}
