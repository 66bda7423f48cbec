package io.attune.engine.online;

import ai.djl.ndarray.NDArray;
import io.attune.engine.objective.Metrics;
import io.attune.engine.objective.Reading;
import io.attune.engine.rollout.Experience;
import io.attune.engine.rollout.ValueRegression;
import io.attune.engine.tensor.Seed;
import io.attune.engine.tensor.Torch;
import io.attune.engine.train.AlarmSettings;
import io.attune.engine.train.EvaluationArguments;
import io.attune.engine.train.Learner;
import io.attune.engine.train.Learner.MicroBatch;
import io.attune.engine.train.Policy;
import io.attune.engine.train.ProcessMemory;
import io.attune.engine.train.Progress;
import io.attune.engine.train.RunContext;
import io.attune.engine.train.StepMetrics;
import io.attune.engine.train.TrainingArguments;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The loop of learning online. An iteration writes completions to some prompts, has them scored,
 * reads them with policy, reference and value model, and learns from them in one or more optimizer
 * steps. A step is an optimizer step; checkpoints are written between iterations.
 *
 * <p>Log-probabilities before the update are read by the pass that also learns, in the same
 * micro-batches, and not taken from sampling, whose program rounds differently: so the ratio of the
 * first step is exactly 1.
 *
 * <p>Single-threaded.
 */
public final class OnlineLoop {
  private static final String VALUE = "value.";

  private final TrainingArguments arguments;
  private final OnlineSettings settings;
  private final Roles roles;
  private final RolloutSource rollouts;
  private final List<Prompt> prompts;
  private final Watch watch;
  private final PromptOrder order;
  private int done;

  /**
   * Who takes part besides the reference, which the policy knows.
   *
   * @param value scores every token by a head; null where nothing learns values
   */
  public record Roles(Policy policy, @Nullable Policy value, Rewards rewards) {}

  /**
   * What is looked at on the way.
   *
   * @param heldOut prompts to evaluate on; empty for none
   */
  public record Watch(AlarmSettings alarms, EvaluationArguments evaluation, List<Prompt> heldOut) {}

  /**
   * @param prompts at least one
   */
  public OnlineLoop(
      TrainingArguments arguments,
      OnlineSettings settings,
      Roles roles,
      RolloutSource rollouts,
      List<Prompt> prompts,
      Watch watch) {
    this.arguments = arguments;
    this.settings = settings;
    this.roles = roles;
    this.rollouts = rollouts;
    this.prompts = List.copyOf(prompts);
    this.watch = watch;
    this.order =
        new PromptOrder(
            prompts.size(), settings.plan().prompts(), arguments.seed(), arguments.shuffle());
  }

  /** Optimizer steps of the whole run. */
  public int totalSteps() {
    return arguments.maxSteps() > 0
        ? arguments.maxSteps()
        : (int)
                Math.ceil(
                    arguments.numTrainEpochs() * prompts.size() / settings.plan().prompts() - 1e-9)
            * settings.plan().updates();
  }

  /** Steps of the whole run that are done. */
  public int steps() {
    return done;
  }

  /**
   * Trains to the end, from the newest checkpoint if there is one.
   *
   * @return metrics of the last step that this call made, null if none was left to do
   */
  public @Nullable StepMetrics run(RunContext context) {
    Surrogate surrogate =
        new Surrogate(settings.loss(), settings.writing().temperature(), !readsPolicy());
    try (Learner<Experience> actor = new Learner<>(arguments, roles.policy(), surrogate);
        Learner<Experience> critic = critic()) {
      Map<String, NDArray> state = new LinkedHashMap<>(actor.state());
      if (critic != null) {
        critic.state().forEach((name, array) -> state.put(VALUE + name, array));
      }
      int perEpoch = (prompts.size() + settings.plan().prompts() - 1) / settings.plan().prompts();
      Progress progress =
          new Progress(
              context,
              arguments,
              watch.evaluation(),
              watch.alarms(),
              state,
              totalSteps(),
              perEpoch * settings.plan().updates());
      Iterations iterations = new Iterations(progress, surrogate, actor, critic);
      StepMetrics last = null;
      done = progress.done();
      while (progress.goesOn()) {
        progress.heedCancel();
        last = iterations.next();
        done = progress.done();
      }
      progress.end(roles.policy().trainable());
      return last;
    }
  }

  /** Always, where the policy that wrote may have been another one. */
  private boolean readsPolicy() {
    return settings.readsPolicy() || rollouts.isElsewhere();
  }

  private @Nullable Learner<Experience> critic() {
    if (roles.value() == null) {
      return null;
    }
    return new Learner<>(
        arguments.withLearningRate(settings.value().learningRate()),
        roles.value(),
        new ValueRegression(settings.value().loss()));
  }

  /** What the policy as it is writes to the held-out prompts, and what that is worth. */
  public Map<String, Double> evaluate() {
    List<Rollout> written =
        rollouts.write(watch.heldOut(), settings.writing().evaluated(), "held-out", 0);
    Map<String, Double> metrics = new TreeMap<>(roles.rewards().score(written).metrics().means());
    metrics.putAll(Lengths.of(written));
    metrics.put("rows", (double) watch.heldOut().size());
    return metrics;
  }

  /** The iterations of one call of {@link #run}. */
  private final class Iterations {
    private final Progress progress;
    private final Surrogate surrogate;
    private final Learner<Experience> actor;
    private final @Nullable Learner<Experience> critic;
    private final ExperienceMaker maker;
    private final RolloutAlarms alarms;

    Iterations(
        Progress progress,
        Surrogate surrogate,
        Learner<Experience> actor,
        @Nullable Learner<Experience> critic) {
      this.progress = progress;
      this.surrogate = surrogate;
      this.actor = actor;
      this.critic = critic;
      this.maker = new ExperienceMaker(settings, progress);
      this.alarms = new RolloutAlarms(settings.alarms(), progress);
    }

    /** Writes, scores and learns; gives the metrics of the last step. */
    StepMetrics next() {
      UpdatePlan plan = settings.plan();
      int iteration = progress.done() / plan.updates();
      long seed = Seed.derive(arguments.seed(), iteration);
      long began = System.nanoTime();
      Torch.seed(seed);
      List<Rollout> written =
          rollouts.write(
              order.of(iteration).stream().map(prompts::get).toList(),
              plan.numGenerations(),
              "rollouts",
              iteration);
      Rewards.Scores scores = roles.rewards().score(written);
      ExperienceMaker.Made made =
          maker.make(written, scores.total(), readings(written, plan.epoch(seed, 0)));
      surrogate.over(counted(made));
      Map<String, Double> metrics = new TreeMap<>(scores.metrics().means());
      metrics.putAll(made.metrics().means());
      metrics.putAll(Lengths.of(written));
      StepMetrics last = null;
      for (int epoch = 0; epoch < plan.epochs() && progress.goesOn(); epoch++) {
        for (List<int[]> mini : plan.epoch(seed, epoch)) {
          if (progress.goesOn()) {
            last = step(made, mini, metrics, began);
            began = System.nanoTime();
          }
        }
      }
      return last;
    }

    /** Those by whose lengths the loss is divided. */
    private List<Experience> counted(ExperienceMaker.Made made) {
      List<Experience> result = new ArrayList<>();
      for (int i = 0; i < made.counted().length; i++) {
        if (made.counted()[i]) {
          result.add(made.experiences().get(i));
        }
      }
      return result;
    }

    private ExperienceMaker.Readings readings(List<Rollout> written, List<List<int[]>> parts) {
      List<Experience> plain = new ArrayList<>();
      for (Rollout rollout : written) {
        double[] none = new double[rollout.completionIds().length];
        plain.add(
            new Experience(
                rollout.prompt().ids(),
                rollout.completionIds(),
                none,
                none,
                null,
                null,
                null,
                null));
      }
      return new ExperienceMaker.Readings(
          readsPolicy() ? read(actor, plain, parts, false) : null,
          settings.readsReference() ? read(actor, plain, parts, true) : null,
          critic == null ? null : read(critic, plain, parts, false));
    }

    private double[][] read(
        Learner<Experience> reader,
        List<Experience> all,
        List<List<int[]>> parts,
        boolean reference) {
      double[][] result = new double[all.size()][];
      for (List<int[]> mini : parts) {
        for (int[] members : mini) {
          List<Reading> readings = reader.read(pick(all, members), reference);
          for (int i = 0; i < members.length; i++) {
            result[members[i]] = readings.get(i).values();
          }
        }
      }
      return result;
    }

    private StepMetrics step(
        ExperienceMaker.Made made, List<int[]> mini, Map<String, Double> ofIteration, long began) {
      int step = progress.done();
      Learner.Gradients policy = policyGradients(made, mini);
      Learner.Gradients value = critic == null ? null : valueGradients(made, mini);
      Map<String, Double> metrics = new TreeMap<>(policy.metrics().means());
      double loss = policy.loss();
      boolean finite = true;
      if (value != null) {
        metrics.putAll(value.metrics().means());
        metrics.put("value/grad_norm", value.norm());
        loss += value.loss();
        finite = Double.isFinite(value.norm());
      }
      metrics.putAll(ofIteration);
      if (step % settings.plan().updates() == 0) {
        watchRollouts(step + 1, made, metrics);
      }
      boolean learns = policy.tokens() > 0;
      boolean updates =
          !learns && value == null
              || progress.check(step + 1, loss, finite ? policy.norm() : value.norm());
      double learningRate =
          learns
              ? actor.update(step, progress.total(), policy, updates)
              : actor.rest(step, progress.total());
      if (value != null) {
        critic.update(step, progress.total(), value, updates);
      }
      double seconds = (System.nanoTime() - began) / 1e9;
      StepMetrics said =
          new StepMetrics(
              step + 1,
              progress.total(),
              epoch(step + 1),
              loss,
              policy.norm(),
              learningRate,
              policy.tokens(),
              progress.numTokens() + policy.tokens(),
              policy.tokens() / seconds,
              ProcessMemory.peakBytes(),
              metrics);
      boolean whole = (step + 1) % settings.plan().updates() == 0 || step + 1 == progress.total();
      return progress.finish(said, whole, OnlineLoop.this::evaluate);
    }

    private double epoch(int steps) {
      UpdatePlan plan = settings.plan();
      return (double) steps / plan.updates() * plan.prompts() / prompts.size();
    }

    private void watchRollouts(int step, ExperienceMaker.Made made, Map<String, Double> metrics) {
      double length = metrics.get(Lengths.MEAN);
      Double ofTokens = metrics.get("kl");
      Double kl = made.kl() == null && ofTokens != null ? (Double) (ofTokens * length) : made.kl();
      alarms.check(step, kl, length, metrics.get(Surrogate.ENTROPY));
    }

    /** Of the completions that anything is learnt from; all that count are divided by. */
    private Learner.Gradients policyGradients(ExperienceMaker.Made made, List<int[]> mini) {
      List<MicroBatch<Experience>> learnt = new ArrayList<>();
      double normaliser = 0;
      for (int[] members : mini) {
        List<Experience> part = new ArrayList<>();
        for (int i : members) {
          Experience experience = made.experiences().get(i);
          if (made.counted()[i]) {
            normaliser += surrogate.weight(experience);
          }
          if (made.learnt()[i]) {
            part.add(experience);
          }
        }
        if (!part.isEmpty()) {
          learnt.add(new MicroBatch<>(part, null));
        }
      }
      return learnt.isEmpty()
          ? new Learner.Gradients(0, 0, 0, new Metrics())
          : actor.gradients(learnt, normaliser);
    }

    private Learner.Gradients valueGradients(ExperienceMaker.Made made, List<int[]> mini) {
      List<MicroBatch<Experience>> parts = new ArrayList<>();
      for (int[] members : mini) {
        parts.add(new MicroBatch<>(pick(made.experiences(), members), null));
      }
      return critic.gradients(parts, critic.weight(parts));
    }

    private static List<Experience> pick(List<Experience> all, int[] members) {
      List<Experience> result = new ArrayList<>();
      for (int member : members) {
        result.add(all.get(member));
      }
      return result;
    }
  }
}
