package io.attune.engine.rollout;

/**
 * Brings scores to mean 0 and deviation 1, so that settings do not depend on a reward model's
 * scale. NaN stands for a completion without a score, and stays.
 */
public final class RewardNormalizer {
  private static final double EPSILON = 1e-8;

  /** What mean and deviation are taken of. */
  public enum Mode {
    /** Scores stay as they are. */
    NONE,
    /** All scores so far, those at hand included (Engstrom et al., arXiv 2005.12729). */
    RUNNING,
    /** The completions of one prompt. */
    GROUP
  }

  private final Mode mode;
  private final int numGenerations;
  private Moments seen;

  /**
   * @param numGenerations completions of a prompt, which lie side by side; of use to {@link
   *     Mode#GROUP} alone
   * @param seen where an earlier run stopped, or {@link Moments#NONE}
   */
  public RewardNormalizer(Mode mode, int numGenerations, Moments seen) {
    if (mode == Mode.GROUP && numGenerations < 2) {
      throw new IllegalArgumentException(
          "'num_generations' is " + numGenerations + "; scores of a group need at least 2");
    }
    this.mode = mode;
    this.numGenerations = numGenerations;
    this.seen = seen;
  }

  /** All that a checkpoint has to keep. */
  public Moments seen() {
    return seen;
  }

  /**
   * The scores of a rollout batch, normalised. A score that is the only one, or like all others, is
   * 0.
   */
  public double[] normalize(double[] scores) {
    return switch (mode) {
      case NONE -> scores.clone();
      case RUNNING -> {
        seen = seen.plus(Moments.of(scores));
        yield scaled(scores, new Moments[] {seen}, scores.length);
      }
      case GROUP -> scaled(scores, Advantages.groups(scores, numGenerations), numGenerations);
    };
  }

  /**
   * @param size how many scores each of the moments is for
   */
  private static double[] scaled(double[] scores, Moments[] moments, int size) {
    double[] result = new double[scores.length];
    for (int i = 0; i < result.length; i++) {
      Moments own = moments[i / size];
      double deviation = own.count() < 2 ? 0 : own.standardDeviation();
      result[i] = (scores[i] - own.mean()) / (deviation + EPSILON);
    }
    return result;
  }
}
