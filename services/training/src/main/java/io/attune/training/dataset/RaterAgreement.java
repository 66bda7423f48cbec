package io.attune.training.dataset;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * How reliable raters are, from how far each agrees with the others.
 *
 * <p>The model is that of Dawid and Skene (1979) with one number a rater: r in [-1, 1] is the
 * correlation of what the rater says with what is true; for a vote, which is 1 or -1, the rater is
 * right with probability (1 + r) / 2. What is true is not known; for each opinion it is estimated
 * from the <em>other</em> raters (as Karger, Oh and Shah, NIPS 2011, do), weighted by their
 * reliability, and the two estimates are made in turn. A prior keeps raters of few ratings near
 * what raters usually are, and decides which of two opposed camps is right (Liu, Peng and Ihler,
 * NIPS 2012):
 *
 * <pre>scores  q = the others' weighted mean, e = W / (W + 1) with W the others' weight
 * votes   m = E[truth] = tanh(atanh(R) * sum over the others of weight * vote)
 * r = (cov_e(x, q) + sum m vote + K R) / (sqrt((var_e(x) + K) (var_e(q) + K)) + sum m^2)</pre>
 *
 * with cov_e and var_e sums over the rater's scores, weighted by e, about his own mean and in units
 * of the variance of all scores; R = 0.5 is the prior reliability and K = 20 the ratings that it is
 * worth. A rater's weight is the information that he gives about the truth, relative to R:
 *
 * <pre>f = min(2, (r^2 / (1 - r^2)) / (R^2 / (1 - R^2))), 0 where r is not above 0</pre>
 *
 * so that who says the opposite of all others counts for nothing. It is not turned round, for there
 * are people of another taste. Ratings without a rater say nothing of his reliability and have
 * weight 1. In each turn the weights are capped as {@link RatingProtection} says.
 */
final class RaterAgreement {
  private static final double PRIOR = 0.5;
  private static final double PRIOR_RATINGS = 20;
  private static final double MOST = 2;
  private static final int TURNS = 60;
  private static final double SETTLED = 1e-7;
  private static final double SMALLEST_VARIANCE = 1e-6;

  private final Opinions opinions;
  private final RatingProtection protection;
  private final int voices;
  private final boolean[] anonymous;
  private final double[] reliability;

  private RaterAgreement(Opinions opinions, RatingProtection protection) {
    this.opinions = opinions;
    this.protection = protection;
    this.voices = opinions.voices().size();
    this.anonymous = new boolean[voices];
    for (int i = 0; i < voices; i++) {
      anonymous[i] = RaterWeights.isAnonymous(opinions.voices().get(i));
    }
    this.reliability = new double[voices];
    Arrays.fill(reliability, PRIOR);
  }

  /** The weight of each voice. */
  static Map<String, Double> weights(Opinions opinions, RatingProtection protection) {
    RaterAgreement agreement = new RaterAgreement(opinions, protection);
    if (protection.raterReliability()) {
      agreement.settle();
    }
    double[] weights = agreement.weights();
    Map<String, Double> byVoice = new HashMap<>();
    for (int i = 0; i < weights.length; i++) {
      byVoice.put(opinions.voices().get(i), weights[i]);
    }
    return byVoice;
  }

  private void settle() {
    double change = 1;
    for (int turn = 0; turn < TURNS && change > SETTLED; turn++) {
      double[] next = estimate(weights());
      change = 0;
      for (int i = 0; i < voices; i++) {
        if (!anonymous[i]) {
          // Half a step: two camps would otherwise take turns in being right.
          double step = (next[i] - reliability[i]) / 2;
          reliability[i] += step;
          change = Math.max(change, Math.abs(step));
        }
      }
    }
  }

  /** Reliability as information, then the caps. */
  private double[] weights() {
    double[] each = new double[voices];
    double[] total = new double[voices + 1]; // the last: all who are not named
    for (int i = 0; i < voices; i++) {
      each[i] = anonymous[i] ? 1 : information(reliability[i]);
    }
    for (int k = 0; k < opinions.count(); k++) {
      int i = opinions.voice(k);
      total[anonymous[i] ? voices : i] += each[i];
    }
    double[] capped = Shares.capped(total, parts(total));
    for (int i = 0; i < voices; i++) {
      int group = anonymous[i] ? voices : i;
      each[i] = total[group] > 0 ? each[i] * capped[group] / total[group] : 0;
    }
    return each;
  }

  private double[] parts(double[] total) {
    int named = 0;
    for (int i = 0; i < voices; i++) {
      named += !anonymous[i] && total[i] > 0 ? 1 : 0;
    }
    double share = protection.maxRaterShare();
    double[] parts = new double[voices + 1];
    Arrays.fill(parts, Shares.room(share, named + (int) total[voices]));
    // A few raters with names must not silence everybody else.
    parts[voices] = Math.max(protection.maxAnonymousShare(), 1 - named * share / 2);
    return parts;
  }

  private static double information(double reliability) {
    double r = Math.max(0, reliability);
    double prior = PRIOR * PRIOR / (1 - PRIOR * PRIOR);
    return Math.min(MOST, r * r / Math.max(1e-9, 1 - r * r) / prior);
  }

  private double[] estimate(double[] weights) {
    double[] agreement = new double[voices];
    double[] certainty = new double[voices];
    addScores(weights, agreement, certainty);
    addVotes(weights, agreement, certainty);
    double[] result = new double[voices];
    for (int i = 0; i < voices; i++) {
      result[i] = (agreement[i] + PRIOR_RATINGS * PRIOR) / certainty[i];
    }
    return result;
  }

  /** Sums over one rater's scores, each weighted by how much the others say about the answer. */
  private static final class Moments {
    private double e;
    private double x;
    private double q;
    private double xx;
    private double qq;
    private double xq;

    void add(double evidence, double score, double others) {
      e += evidence;
      x += evidence * score;
      q += evidence * others;
      xx += evidence * score * score;
      qq += evidence * others * others;
      xq += evidence * score * others;
    }

    double covariance() {
      return e > 0 ? xq - x * q / e : 0;
    }

    double varianceOfScores() {
      return e > 0 ? Math.max(0, xx - x * x / e) : 0;
    }

    double varianceOfOthers() {
      return e > 0 ? Math.max(0, qq - q * q / e) : 0;
    }
  }

  private void addScores(double[] weights, double[] agreement, double[] certainty) {
    double[] weight = new double[opinions.things()];
    double[] sum = new double[opinions.things()];
    double all = 0;
    double first = 0;
    double second = 0;
    for (int k = 0; k < opinions.scores(); k++) {
      double w = weights[opinions.voice(k)];
      double x = opinions.value(k);
      weight[opinions.thing(k)] += w;
      sum[opinions.thing(k)] += w * x;
      all += w;
      first += w * x;
      second += w * x * x;
    }
    double mean = all > 0 ? first / all : 0;
    double variance = Math.max(SMALLEST_VARIANCE, all > 0 ? second / all - mean * mean : 0);
    Moments[] moments = new Moments[voices];
    Arrays.setAll(moments, i -> new Moments());
    for (int k = 0; k < opinions.scores(); k++) {
      int thing = opinions.thing(k);
      double w = weights[opinions.voice(k)];
      double others = weight[thing] - w;
      if (others > 1e-9 * weight[thing]) {
        double q = (sum[thing] - w * opinions.value(k)) / others;
        moments[opinions.voice(k)].add(others / (others + 1), opinions.value(k) - mean, q - mean);
      }
    }
    for (int i = 0; i < voices; i++) {
      agreement[i] += moments[i].covariance() / variance;
      certainty[i] +=
          Math.sqrt(
              (moments[i].varianceOfScores() / variance + PRIOR_RATINGS)
                  * (moments[i].varianceOfOthers() / variance + PRIOR_RATINGS));
    }
  }

  private void addVotes(double[] weights, double[] agreement, double[] certainty) {
    // A weight of 1 is a rater of the prior reliability, whose vote has these odds, as a logarithm.
    double half = Math.log((1 + PRIOR) / (1 - PRIOR)) / 2;
    double[] sum = new double[opinions.things()];
    for (int k = opinions.scores(); k < opinions.count(); k++) {
      sum[opinions.thing(k)] += weights[opinions.voice(k)] * opinions.value(k);
    }
    for (int k = opinions.scores(); k < opinions.count(); k++) {
      int i = opinions.voice(k);
      double vote = opinions.value(k);
      double truth = Math.tanh(half * (sum[opinions.thing(k)] - weights[i] * vote));
      agreement[i] += vote * truth;
      certainty[i] += truth * truth;
    }
  }
}
