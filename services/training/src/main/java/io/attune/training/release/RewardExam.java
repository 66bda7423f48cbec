package io.attune.training.release;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * How two reward models scored held-out pairs of answers, and what that makes: the share of pairs
 * that a model puts in the order in which people did. Equal scores count one half. Pairs of one
 * prompt are averaged first, so that each prompt counts once.
 *
 * @param activeVersion the version that the candidate is compared with; 0 when there is none
 * @param acrossPrompts whether the pairs compare answers to different prompts
 */
public record RewardExam(
    @JsonProperty("active_version") long activeVersion,
    @JsonProperty("across_prompts") boolean acrossPrompts,
    @JsonProperty("pairs") List<Scores> pairs) {

  /**
   * The scores of one pair.
   *
   * @param group averaged together
   * @param candidateBetter the candidate's score of the answer that people found better
   * @param candidateWorse its score of the other one
   * @param activeBetter the active version's score of the better one; null when there is none
   * @param activeWorse see activeBetter
   */
  public record Scores(
      @JsonProperty("group") String group,
      @JsonProperty("candidate_better") double candidateBetter,
      @JsonProperty("candidate_worse") double candidateWorse,
      @JsonProperty("active_better") Double activeBetter,
      @JsonProperty("active_worse") Double activeWorse) {}

  /** The candidate's accuracy for each group, in order of first appearance. */
  public double[] candidate() {
    return accuracy(s -> order(s.candidateBetter(), s.candidateWorse()));
  }

  /** The active version's accuracy for each group; one half, which is chance, without one. */
  public double[] active() {
    return accuracy(s -> s.activeBetter() == null ? 0.5 : order(s.activeBetter(), s.activeWorse()));
  }

  private static double order(double better, double worse) {
    return better > worse ? 1 : better == worse ? 0.5 : 0;
  }

  private double[] accuracy(ToDoubleFunction<Scores> correct) {
    Map<String, double[]> sums = new LinkedHashMap<>();
    for (Scores pair : pairs) {
      double[] sum = sums.computeIfAbsent(pair.group(), g -> new double[2]);
      sum[0] += correct.applyAsDouble(pair);
      sum[1]++;
    }
    return sums.values().stream().mapToDouble(sum -> sum[0] / sum[1]).toArray();
  }
}
