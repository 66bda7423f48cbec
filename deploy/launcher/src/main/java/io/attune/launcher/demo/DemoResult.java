package io.attune.launcher.demo;

import io.attune.launcher.quickstart.Question;
import io.attune.serving.v1.Generation;
import io.attune.training.v1.GateDecision;
import io.attune.training.v1.Lineage;
import io.attune.training.v1.TrainingJob;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What a demo brought.
 *
 * @param reward the reward model's job
 * @param policy the policy's job
 * @param difference of the held-out ratings; null when nothing was released
 * @param lineage of the released adapter; null when nothing was released
 * @param questions the held-out questions
 * @param before the base model's answers to them
 * @param after the released adapter's answers to them
 */
public record DemoResult(
    TrainingJob reward,
    TrainingJob policy,
    PairedDifference difference,
    Lineage lineage,
    List<Question> questions,
    List<Generation> before,
    List<Generation> after) {
  private static final int EXAMPLES = 3;

  static DemoResult unreleased(TrainingJob reward, TrainingJob policy) {
    return new DemoResult(reward, policy, null, null, List.of(), List.of(), List.of());
  }

  /** Whether the mean rating of held-out questions rose, with an interval that excludes 0. */
  public boolean improved() {
    return difference != null && difference.improved();
  }

  /** The result for people. */
  public List<String> lines() {
    List<String> lines = new ArrayList<>();
    lines.add("Reward model: " + outcome(reward));
    lines.add(kind(policy) + ":  " + outcome(policy));
    if (difference == null) {
      lines.add("Nothing was released, so nothing changed.");
      return lines;
    }
    lines.add("");
    lines.add(
        format(
            "Mean rating by SIMULATED raters on %d held-out questions (never rated before):",
            difference.pairs()));
    lines.add(format("  before      %.3f   (base model)", difference.before()));
    lines.add(
        format(
            "  after       %.3f   (%s version %d)",
            difference.after(),
            policy.getCandidate().getLine(),
            policy.getCandidate().getVersion()));
    lines.add(
        format(
            "  difference %+.3f   95%% interval [%+.3f, %+.3f], bootstrap over questions",
            difference.mean(), difference.low(), difference.high()));
    lines.add("");
    examples(lines);
    lineage(lines);
    return lines;
  }

  private void examples(List<String> lines) {
    lines.add("Some of them:");
    for (int i = 0; i < Math.min(EXAMPLES, questions.size()); i++) {
      lines.add("  question  " + questions.get(i).text());
      lines.add("    before  " + before.get(i).getCompletion().strip());
      lines.add("    after   " + after.get(i).getCompletion().strip());
    }
    lines.add("");
  }

  private void lineage(List<String> lines) {
    lines.add("Where the adapter comes from:");
    lines.add("  adapter   " + lineage.getAdapter().getArtifact().getUri());
    lines.add("  sha-256   " + lineage.getAdapter().getVersion().getSha256());
    lines.add("  job       " + lineage.getAdapter().getJobId());
    lines.add("  snapshot  " + lineage.getSnapshot().getUri());
    lines.add(
        format(
            "  ratings   %d became rows of training, the first of them %s",
            lineage.getRatingCount(), String.join(", ", lineage.getRatingIdsList())));
  }

  /** What a policy's job makes, by what it learns by. */
  static String kind(TrainingJob policy) {
    return policy.getSpec().getObjectiveCase() + " adapter";
  }

  private static String outcome(TrainingJob job) {
    String state = job.getState().name().substring("STATE_".length()).toLowerCase(Locale.ROOT);
    if (job.hasFailure()) {
      return state + ": " + job.getFailure().getMessage();
    }
    GateDecision decision = job.getDecision();
    return format(
        "%s; %s: %.3f, active %.3f, difference %+.3f [%+.3f, %+.3f] on %d. %s",
        state,
        decision.getMetric(),
        decision.getCandidateMean(),
        decision.getActiveMean(),
        decision.getDifference(),
        decision.getDifferenceLow(),
        decision.getDifferenceHigh(),
        decision.getSampleSize(),
        decision.getReason());
  }

  private static String format(String pattern, Object... values) {
    return String.format(Locale.ROOT, pattern, values);
  }
}
