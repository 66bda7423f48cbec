package io.attune.engine.train;

import java.util.Locale;

/**
 * When a run is evaluated on held-out rows, and what follows from it; names and meanings are those
 * of transformers' TrainingArguments and EarlyStoppingCallback.
 *
 * @param evalSteps optimizer steps between evaluations, with {@link Strategy#STEPS}
 * @param metricForBestModel a metric of the evaluation, without {@code eval_} before it
 * @param greaterIsBetter whether more of it is better
 * @param loadBestModelAtEnd whether the run ends with the weights of the best evaluation
 * @param earlyStoppingPatience evaluations in a row without improvement that end the run; 0 for any
 * @param earlyStoppingThreshold how much better than the best one an evaluation must be to count
 */
public record EvaluationArguments(
    Strategy evalStrategy,
    int evalSteps,
    String metricForBestModel,
    boolean greaterIsBetter,
    boolean loadBestModelAtEnd,
    int earlyStoppingPatience,
    double earlyStoppingThreshold) {

  /** When to evaluate. */
  public enum Strategy {
    NO,
    STEPS,
    EPOCH
  }

  /** Never. */
  public static final EvaluationArguments NONE =
      new EvaluationArguments(Strategy.NO, 500, "loss", false, false, 0, 0);

  public EvaluationArguments {
    if (evalSteps < 1) {
      throw new IllegalArgumentException("'eval_steps' is " + evalSteps + "; it must be positive");
    }
    if (earlyStoppingPatience < 0 || !(earlyStoppingThreshold >= 0)) {
      throw new IllegalArgumentException(
          "'early_stopping_patience' is "
              + earlyStoppingPatience
              + " and 'early_stopping_threshold' "
              + earlyStoppingThreshold
              + "; neither may be negative");
    }
    if (evalStrategy == Strategy.NO && (loadBestModelAtEnd || earlyStoppingPatience > 0)) {
      throw new IllegalArgumentException(
          "'load_best_model_at_end' and 'early_stopping_patience' need evaluations;"
              + " set eval_strategy to steps or epoch");
    }
  }

  static EvaluationArguments parse(Parameters in, int saveSteps) {
    return parse(in, saveSteps, "loss");
  }

  /**
   * @param metricForBestModel where none is named
   */
  static EvaluationArguments parse(Parameters in, int saveSteps, String metricForBestModel) {
    String metric = in.text("metric_for_best_model", metricForBestModel);
    boolean loadBest = in.flag("load_best_model_at_end", false);
    if (loadBest && saveSteps == 0) {
      throw new IllegalArgumentException(
          "'load_best_model_at_end' needs checkpoints; save_steps is 0");
    }
    return new EvaluationArguments(
        strategy(in.text("eval_strategy", "no")),
        in.integer("eval_steps", 500),
        metric.startsWith("eval_") ? metric.substring("eval_".length()) : metric,
        in.flag("greater_is_better", !metric.endsWith("loss")),
        loadBest,
        in.integer("early_stopping_patience", 0),
        in.number("early_stopping_threshold", 0));
  }

  private static Strategy strategy(String name) {
    for (Strategy strategy : Strategy.values()) {
      if (strategy.name().toLowerCase(Locale.ROOT).equals(name)) {
        return strategy;
      }
    }
    throw new IllegalArgumentException("'eval_strategy' is " + name + "; it is no, steps or epoch");
  }

  /** Whether there are evaluations. */
  public boolean enabled() {
    return evalStrategy != Strategy.NO;
  }

  /**
   * Whether an evaluation follows a step.
   *
   * @param step steps done
   */
  boolean due(int step, int stepsPerEpoch) {
    return switch (evalStrategy) {
      case NO -> false;
      case STEPS -> step % evalSteps == 0;
      case EPOCH -> step % stepsPerEpoch == 0;
    };
  }
}
