package io.attune.launcher.demo;

import io.attune.common.v1.AdapterVersion;
import io.attune.launcher.local.LauncherException;
import io.attune.launcher.local.Platform;
import io.attune.launcher.local.Progress;
import io.attune.launcher.quickstart.Question;
import io.attune.launcher.quickstart.ShopDialogues;
import io.attune.serving.v1.Generation;
import io.attune.training.v1.TrainingJob;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Runs the loop once on a running platform and measures what it brought. */
public final class Demo {
  /** As free as the model is, so that raters see its whole range. */
  private static final PlatformCalls.Draw EXPLORE = new PlatformCalls.Draw(1.0f, 80);

  /** As a user would ask. */
  private static final PlatformCalls.Draw USE = new PlatformCalls.Draw(0.7f, 80);

  private final Platform platform;
  private final DemoPlan plan;
  private final Progress progress;

  public Demo(Platform platform, DemoPlan plan, Progress progress) {
    this.platform = platform;
    this.plan = plan;
    this.progress = progress;
  }

  /** Runs it to its end; a job that is refused or fails is a result too. */
  public DemoResult run() throws InterruptedException {
    ShopDialogues shop = new ShopDialogues(plan.seed());
    List<Question> rated = shop.distinctQuestions(plan.questions(), Set.of());
    Set<String> known = new HashSet<>();
    rated.forEach(question -> known.add(question.text()));
    List<Question> heldOut = shop.distinctQuestions(plan.heldOut(), known);
    try (EventFeed events = EventFeed.open(platform.endpoints().bootstrap());
        PlatformCalls calls = new PlatformCalls(platform.endpoints(), platform.tokens())) {
      Round round = new Round(events, calls, progress, platform.failed());
      progress.stage("the base model answers the held-out questions");
      List<Generation> before = ask(calls, heldOut, USE, seedOfHeldOut());
      rate(calls, rated);
      round.awaitAccepted(plan.ratings());
      TrainingJob reward = round.awaitJob("reward");
      TrainingJob policy = round.awaitJob(DemoPlan.LINE);
      if (policy.getState() != TrainingJob.State.STATE_RELEASED) {
        return DemoResult.unreleased(reward, policy, round.rollouts().line());
      }
      round.awaitActive(policy.getCandidate(), platform.endpoints().servingNames());
      progress.stage("the new adapter answers the held-out questions");
      List<Generation> after = ask(calls, heldOut, USE, seedOfHeldOut());
      check(before, 0);
      check(after, policy.getCandidate().getVersion());
      return result(calls, round, reward, policy, heldOut, before, after);
    }
  }

  private void rate(PlatformCalls calls, List<Question> questions) throws InterruptedException {
    progress.stage("simulated users ask, simulated raters rate");
    List<SimulatedRater> raters = SimulatedRater.several(plan.raters(), plan.seed());
    List<Question> repeated = new ArrayList<>();
    for (Question question : questions) {
      for (int sample = 0; sample < plan.samples(); sample++) {
        repeated.add(question);
      }
    }
    try (RatingStream stream = new RatingStream(platform.endpoints().bootstrap())) {
      for (int from = 0; from < repeated.size(); from += PlatformCalls.BATCH) {
        int to = Math.min(from + PlatformCalls.BATCH, repeated.size());
        List<Question> batch = repeated.subList(from, to);
        List<Generation> answers =
            calls.ask(DemoPlan.LINE, batch, EXPLORE, plan.seed() * 1_000_003L + from);
        for (int i = 0; i < answers.size(); i++) {
          for (SimulatedRater rater : raters) {
            double score = rater.rate(batch.get(i), answers.get(i).getCompletion());
            stream.send(answers.get(i), rater.name(), score);
          }
        }
        progress.step(to, repeated.size(), "answers rated");
      }
      stream.flush();
    }
  }

  private long seedOfHeldOut() {
    return plan.seed() * 2_000_003L + 1;
  }

  private List<Generation> ask(
      PlatformCalls calls, List<Question> questions, PlatformCalls.Draw draw, long seed) {
    return calls.askAll(
        DemoPlan.LINE,
        questions,
        draw,
        seed,
        done -> progress.step(done, questions.size(), "answers"));
  }

  private static void check(List<Generation> answers, long version) {
    for (Generation answer : answers) {
      AdapterVersion adapter = answer.getAdapter();
      if (adapter.getVersion() != version) {
        throw new LauncherException(
            "an answer that version " + version + " should have given came from " + adapter);
      }
    }
  }

  private DemoResult result(
      PlatformCalls calls,
      Round round,
      TrainingJob reward,
      TrainingJob policy,
      List<Question> questions,
      List<Generation> before,
      List<Generation> after) {
    double[] ratingsBefore = judge(questions, before);
    double[] ratingsAfter = judge(questions, after);
    return new DemoResult(
        reward,
        policy,
        round.rollouts().line(),
        PairedDifference.of(ratingsBefore, ratingsAfter, plan.seed()),
        calls.lineage(DemoPlan.LINE, policy.getCandidate().getVersion()),
        questions,
        before,
        after);
  }

  /** The mean rating of each answer; raters who have not seen the platform's ratings. */
  private double[] judge(List<Question> questions, List<Generation> answers) {
    List<SimulatedRater> raters = SimulatedRater.several(plan.raters(), plan.seed() + 1);
    double[] means = new double[questions.size()];
    for (int i = 0; i < means.length; i++) {
      double sum = 0;
      for (SimulatedRater rater : raters) {
        sum += rater.rate(questions.get(i), answers.get(i).getCompletion());
      }
      means[i] = sum / raters.size();
    }
    return means;
  }
}
