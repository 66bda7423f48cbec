package io.attune.engine.train;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import java.util.ArrayList;
import java.util.List;

/**
 * What {@link Alarms} have to remember from step to step, and a checkpoint for them.
 *
 * @param steps that were judged: those with a finite loss and finite gradients
 * @param norms gradients' norms of the latest of them, oldest first
 * @param firstNorm median of the first norms; 0 before there are enough
 * @param loss smoothed
 * @param firstLoss the smoothed loss when it was first judged; 0 before
 * @param bestLoss the lowest smoothed loss since
 * @param nanSteps steps in a row, up to now, that were not finite
 * @param normSteps steps in a row whose gradients were far beyond their usual size
 * @param lossSteps steps in a row whose loss was
 * @param suspectSince the first step (from 1) of those in a row that any alarm counts; 0 for none
 */
record AlarmState(
    int steps,
    List<Double> norms,
    double firstNorm,
    double loss,
    double firstLoss,
    double bestLoss,
    int nanSteps,
    int normSteps,
    int lossSteps,
    int suspectSince) {

  static final AlarmState NONE = new AlarmState(0, List.of(), 0, 0, 0, 0, 0, 0, 0, 0);

  private static final String KEY = "alarms";

  AlarmState {
    norms = List.copyOf(norms);
  }

  void write(ObjectNode state) {
    ObjectNode json = state.putObject(KEY);
    json.put("steps", steps);
    norms.forEach(json.putArray("grad_norms")::add);
    json.put("first_grad_norm", firstNorm);
    json.put("smoothed_loss", loss);
    json.put("first_loss", firstLoss);
    json.put("best_loss", bestLoss);
    json.put("nan_steps", nanSteps);
    json.put("grad_norm_steps", normSteps);
    json.put("loss_steps", lossSteps);
    json.put("suspect_since", suspectSince);
  }

  /** Throws if this cannot be of a checkpoint after {@code step} steps. */
  static AlarmState read(JsonNode state, int step, Object where) {
    JsonNode json = state.path(KEY);
    if (json.isMissingNode()) {
      return NONE; // of a run that had no alarms yet
    }
    List<Double> norms = new ArrayList<>();
    for (JsonNode norm : json.path("grad_norms")) {
      norms.add(norm.isNumber() ? norm.doubleValue() : Double.NaN);
    }
    AlarmState read =
        new AlarmState(
            count(json, "steps"),
            norms,
            number(json, "first_grad_norm"),
            number(json, "smoothed_loss"),
            number(json, "first_loss"),
            number(json, "best_loss"),
            count(json, "nan_steps"),
            count(json, "grad_norm_steps"),
            count(json, "loss_steps"),
            count(json, "suspect_since"));
    if (!read.isPossible(step)) {
      throw new EngineException(
          Reason.CORRUPT,
          where + ": '" + KEY + "' is not what " + step + " steps leave; delete the folder");
    }
    return read;
  }

  private boolean isPossible(int step) {
    boolean counts =
        steps >= 0
            && steps <= step
            && norms.size() <= steps
            && suspectSince >= 0
            && suspectSince <= step;
    for (int streak : new int[] {nanSteps, normSteps, lossSteps}) {
      counts &= streak >= 0 && streak <= step && (streak == 0 || suspectSince > 0);
    }
    return counts
        && norms.stream().allMatch(norm -> Double.isFinite(norm) && norm >= 0)
        && Double.isFinite(firstNorm + loss + firstLoss + bestLoss);
  }

  private static int count(JsonNode json, String key) {
    return json.path(key).isInt() ? json.path(key).intValue() : -1;
  }

  private static double number(JsonNode json, String key) {
    return json.path(key).isNumber() ? json.path(key).doubleValue() : Double.NaN;
  }
}
