package io.attune.engine.train;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import java.util.Map;
import java.util.TreeSet;

/**
 * Which evaluation of a run was the best, and whether it is time to stop. Decides as transformers
 * does: any improvement makes a new best, but only one beyond the threshold restores patience.
 *
 * <p>Single-threaded.
 */
final class Selection {
  private final EvaluationArguments arguments;
  private State state;

  /**
   * What a run has to remember.
   *
   * @param bestStep steps done at the best evaluation; 0 before the first one
   * @param bestMetric its value
   * @param misses evaluations since patience was last restored
   * @param bestIsKept whether the weights of the best step are to be had from its checkpoint
   */
  record State(int bestStep, double bestMetric, int misses, boolean bestIsKept) {
    static final State NONE = new State(0, 0, 0, false);

    /** Under the names of transformers' trainer_state.json. */
    void write(ObjectNode json) {
      if (bestStep > 0) {
        json.put("best_global_step", bestStep);
        json.put("best_metric", bestMetric);
        json.put("early_stopping_patience_counter", misses);
        if (bestIsKept) {
          json.put("best_model_checkpoint", Checkpoints.PREFIX + bestStep);
        }
      }
    }

    /** Throws if this cannot be of a checkpoint after {@code step} steps. */
    static State read(JsonNode json, int step, Object where) {
      if (!json.has("best_global_step")) {
        return NONE;
      }
      JsonNode best = json.path("best_global_step");
      JsonNode metric = json.path("best_metric");
      JsonNode misses = json.path("early_stopping_patience_counter");
      if (!best.isInt()
          || best.intValue() < 1
          || best.intValue() > step
          || !metric.isNumber()
          || !misses.isInt()
          || misses.intValue() < 0) {
        throw new EngineException(
            Reason.CORRUPT,
            where
                + " says best_global_step "
                + best
                + ", best_metric "
                + metric
                + " and early_stopping_patience_counter "
                + misses
                + ", which cannot be; delete the folder");
      }
      return new State(
          best.intValue(),
          metric.doubleValue(),
          misses.intValue(),
          json.has("best_model_checkpoint"));
    }
  }

  Selection(EvaluationArguments arguments, State state) {
    this.arguments = arguments;
    this.state = state;
  }

  State state() {
    return state;
  }

  /**
   * Takes note of an evaluation.
   *
   * @param step steps done
   * @return whether it is the best so far
   */
  boolean take(int step, Map<String, Double> metrics) {
    Double value = metrics.get(arguments.metricForBestModel());
    if (value == null) {
      throw new EngineException(
          Reason.INVALID_ARGUMENT,
          "'metric_for_best_model' is "
              + arguments.metricForBestModel()
              + "; the evaluation has "
              + String.join(", ", new TreeSet<>(metrics.keySet())));
    }
    double ahead =
        arguments.greaterIsBetter() ? value - state.bestMetric : state.bestMetric - value;
    boolean first = state.bestStep == 0;
    boolean best = first || ahead > 0;
    int misses = first || ahead > arguments.earlyStoppingThreshold() ? 0 : state.misses + 1;
    state =
        best
            ? new State(step, value, misses, arguments.loadBestModelAtEnd())
            : new State(state.bestStep, state.bestMetric, misses, state.bestIsKept);
    return best;
  }

  /** Whether patience is at its end. */
  boolean stops() {
    return arguments.earlyStoppingPatience() > 0
        && state.misses >= arguments.earlyStoppingPatience();
  }

  /** Whether the run ends with the weights of an earlier step than its last. */
  boolean takesBest() {
    return arguments.loadBestModelAtEnd() && state.bestStep > 0;
  }

  @Override
  public String toString() {
    return "eval_"
        + arguments.metricForBestModel()
        + " "
        + state.bestMetric
        + " after step "
        + state.bestStep;
  }
}
