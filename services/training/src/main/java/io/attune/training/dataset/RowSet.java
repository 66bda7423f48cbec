package io.attune.training.dataset;

import com.fasterxml.jackson.databind.JsonNode;
import io.attune.common.v1.ErrorCode;
import io.attune.platform.error.PlatformException;
import io.attune.training.v1.DpoObjective;
import io.attune.training.v1.KtoObjective;
import io.attune.training.v1.OrpoObjective;
import io.attune.training.v1.RewardObjective;
import io.attune.training.v1.SimpoObjective;
import io.attune.training.v1.TrainingSpec;
import java.util.List;
import java.util.stream.Stream;

/**
 * What a snapshot becomes for one objective: rows to train on, and what the gate examines the
 * result with. A pure function of its input; a held-out prompt is never among the rows.
 *
 * @param training rows to train on, in the order of the snapshot
 * @param evaluation pairs for a reward model; empty for a policy
 * @param acrossPrompts whether the pairs compare answers to different prompts
 * @param heldOutPrompts prompts to answer for a policy; empty for a reward model
 * @param ratings ratings in the snapshot
 * @param heldOutRatings those of them that training does not see
 */
public record RowSet(
    List<Row> training,
    List<EvaluationPair> evaluation,
    boolean acrossPrompts,
    List<JsonNode> heldOutPrompts,
    int ratings,
    int heldOutRatings) {

  /**
   * How much is needed, and how much is taken.
   *
   * @param minimumRows least rows to train on
   * @param minimumHeldOut least held-out prompts or independent pairs to decide on
   * @param maximumHeldOut at most this many of them are examined
   */
  public record Limits(int minimumRows, int minimumHeldOut, int maximumHeldOut) {}

  /** Derives the rows of a job. */
  public static RowSet derive(TrainingSpec spec, List<SnapshotRating> snapshot, Limits limits) {
    RaterWeights weights = RaterWeights.of(snapshot, RatingProtection.of(spec.getRatings()));
    List<PromptRatings> prompts = PromptRatings.gather(snapshot, weights);
    Stream<PromptRatings> seen = prompts.stream().filter(prompt -> !prompt.heldOut());
    List<Row> rows =
        RowWeights.normalised(seen.<Row>flatMap(prompt -> rows(spec, prompt).stream()).toList());
    List<EvaluationPair> pairs = List.of();
    boolean across = false;
    List<JsonNode> heldOutPrompts = List.of();
    if (spec.hasReward()) {
      pairs = HeldOut.pairsWithinPrompts(prompts, DEFAULT_MARGIN, limits.maximumHeldOut());
      if (groups(pairs) < limits.minimumHeldOut()) {
        across = true;
        pairs = HeldOut.pairsAcrossPrompts(prompts, DEFAULT_MARGIN, limits.maximumHeldOut());
      }
    } else {
      heldOutPrompts = HeldOut.prompts(prompts, limits.maximumHeldOut());
    }
    int heldOut = (int) snapshot.stream().filter(SnapshotRating::heldOut).count();
    return new RowSet(rows, pairs, across, heldOutPrompts, snapshot.size(), heldOut);
  }

  private static final double DEFAULT_MARGIN = 0.1;
  private static final int DEFAULT_PAIRS = 8;
  private static final double DEFAULT_MINIMUM_SCORE = 0.8;
  private static final double DEFAULT_MARGIN_FACTOR = 1;

  private static List<? extends Row> rows(TrainingSpec spec, PromptRatings prompt) {
    return switch (spec.getObjectiveCase()) {
      case SFT ->
          SupervisedRows.of(
              prompt,
              spec.getSft().hasMinimumScore()
                  ? spec.getSft().getMinimumScore()
                  : DEFAULT_MINIMUM_SCORE);
      case DPO -> PairRows.of(prompt, rule(spec.getDpo()));
      case ORPO -> PairRows.of(prompt, rule(spec.getOrpo()));
      case SIMPO -> PairRows.of(prompt, rule(spec.getSimpo()));
      case KTO -> judged(spec.getKto(), prompt);
      case PPO, GRPO, RLOO -> PromptRows.of(prompt);
      case REWARD ->
          spec.getReward().getLoss() == RewardObjective.Loss.LOSS_BRADLEY_TERRY
              ? PairRows.of(prompt, rule(spec.getReward()))
              : ScoredRows.of(prompt);
      case OBJECTIVE_NOT_SET -> throw new IllegalArgumentException("the job has no objective");
    };
  }

  private static List<Row.Judged> judged(KtoObjective kto, PromptRatings prompt) {
    double margin = kto.hasMinimumMargin() ? kto.getMinimumMargin() : DEFAULT_MARGIN;
    return kto.getUnpairedOnly()
        ? JudgedRows.unpaired(prompt, margin, new PairRows.Rule(DEFAULT_MARGIN, DEFAULT_PAIRS))
        : JudgedRows.of(prompt, margin);
  }

  private static PairRows.Rule rule(DpoObjective dpo) {
    return new PairRows.Rule(
        dpo.hasMinimumMargin() ? dpo.getMinimumMargin() : DEFAULT_MARGIN,
        dpo.hasMaximumPairsPerPrompt() ? dpo.getMaximumPairsPerPrompt() : DEFAULT_PAIRS);
  }

  private static PairRows.Rule rule(OrpoObjective orpo) {
    return new PairRows.Rule(
        orpo.hasMinimumMargin() ? orpo.getMinimumMargin() : DEFAULT_MARGIN,
        orpo.hasMaximumPairsPerPrompt() ? orpo.getMaximumPairsPerPrompt() : DEFAULT_PAIRS);
  }

  private static PairRows.Rule rule(SimpoObjective simpo) {
    return new PairRows.Rule(
        simpo.hasMinimumMargin() ? simpo.getMinimumMargin() : DEFAULT_MARGIN,
        simpo.hasMaximumPairsPerPrompt() ? simpo.getMaximumPairsPerPrompt() : DEFAULT_PAIRS);
  }

  private static PairRows.Rule rule(RewardObjective reward) {
    return new PairRows.Rule(
        reward.hasMinimumMargin() ? reward.getMinimumMargin() : DEFAULT_MARGIN,
        reward.hasMaximumPairsPerPrompt() ? reward.getMaximumPairsPerPrompt() : DEFAULT_PAIRS,
        reward.hasMarginFactor() ? reward.getMarginFactor() : DEFAULT_MARGIN_FACTOR);
  }

  /**
   * Says whether there is enough to train on and to decide on.
   *
   * @throws PlatformException TOO_LITTLE_DATA, with the counts
   */
  public RowSet require(Limits limits) {
    if (training.size() < limits.minimumRows()) {
      throw tooLittle(
          training.size() + " rows to train on came out, " + limits.minimumRows() + " are needed");
    }
    if (examined() < limits.minimumHeldOut()) {
      throw tooLittle(
          examined()
              + " held-out prompts or pairs came out to compare with, "
              + limits.minimumHeldOut()
              + " are needed");
    }
    return this;
  }

  private PlatformException tooLittle(String what) {
    return new PlatformException(
        ErrorCode.ERROR_CODE_TOO_LITTLE_DATA,
        "of %d ratings (%d of them held out) %s: collect more ratings, or ask less of them"
            .formatted(ratings, heldOutRatings, what));
  }

  /** What balances the good and the bad answers among the rows; see {@link KtoWeights}. */
  public KtoWeights ktoWeights() {
    return KtoWeights.of(
        training.stream()
            .filter(Row.Judged.class::isInstance)
            .map(Row.Judged.class::cast)
            .toList());
  }

  /** Independent pieces of evidence that the gate will have. */
  int examined() {
    return heldOutPrompts.isEmpty() ? groups(evaluation) : heldOutPrompts.size();
  }

  private static int groups(List<EvaluationPair> pairs) {
    return (int) pairs.stream().map(EvaluationPair::group).distinct().count();
  }

  /** The ratings that became rows of training, each once, in order of their ids. */
  public List<String> ratingIds() {
    return training.stream().flatMap(row -> row.ratingIds().stream()).distinct().sorted().toList();
  }
}
