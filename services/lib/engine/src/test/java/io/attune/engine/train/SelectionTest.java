package io.attune.engine.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attune.engine.EngineException;
import io.attune.engine.checkpoint.JsonFiles;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SelectionTest {
  private static EvaluationArguments arguments(boolean greater, int patience, double threshold) {
    return new EvaluationArguments(
        EvaluationArguments.Strategy.STEPS, 1, "loss", greater, true, patience, threshold);
  }

  /**
   * EarlyStoppingCallback.check_metric_value, then Trainer._determine_best_metric, in that order as
   * Trainer calls them after each evaluation.
   */
  private static final class Transformers {
    private final EvaluationArguments arguments;
    private Double bestMetric;
    private int bestStep;
    private int counter;

    Transformers(EvaluationArguments arguments) {
      this.arguments = arguments;
    }

    boolean better(double value) {
      return arguments.greaterIsBetter() ? value > bestMetric : value < bestMetric;
    }

    void evaluated(int step, double value) {
      if (bestMetric == null
          || (better(value) && Math.abs(value - bestMetric) > arguments.earlyStoppingThreshold())) {
        counter = 0;
      } else {
        counter++;
      }
      if (bestMetric == null || better(value)) {
        bestMetric = value;
        bestStep = step;
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"false,2,0", "true,2,0", "false,3,0.2", "true,1,0.5", "false,4,0.05"})
  void decidesAsTransformersDoes(boolean greater, int patience, double threshold) {
    EvaluationArguments arguments = arguments(greater, patience, threshold);
    Random random = new Random(17);
    for (int run = 0; run < 200; run++) {
      Selection selection = new Selection(arguments, Selection.State.NONE);
      Transformers reference = new Transformers(arguments);
      for (int step = 1; step <= 20 && !selection.stops(); step++) {
        double value = Math.round(random.nextDouble() * 20) / 10.0;
        selection.take(step, Map.of("loss", value));
        reference.evaluated(step, value);

        assertThat(selection.state().bestStep()).isEqualTo(reference.bestStep);
        assertThat(selection.state().bestMetric()).isEqualTo(reference.bestMetric);
        assertThat(selection.stops()).isEqualTo(reference.counter >= patience);
      }
    }
  }

  @Test
  void goesOnFromWhatACheckpointSays() {
    EvaluationArguments arguments = arguments(false, 3, 0);
    double[] losses = {3, 2, 2.5, 2.4, 2.2};
    Selection whole = new Selection(arguments, Selection.State.NONE);
    List<Selection.State> states = new ArrayList<>();
    Selection resumed = new Selection(arguments, Selection.State.NONE);
    for (int step = 1; step <= losses.length; step++) {
      whole.take(step, Map.of("loss", losses[step - 1]));
      resumed.take(step, Map.of("loss", losses[step - 1]));
      var json = JsonFiles.newObject();
      resumed.state().write(json);
      resumed = new Selection(arguments, Selection.State.read(json, step, "here"));
      states.add(resumed.state());
      assertThat(resumed.state()).isEqualTo(whole.state());
    }
    assertThat(whole.stops()).isTrue();
    assertThat(resumed.stops()).isTrue();
    assertThat(states.get(4)).isEqualTo(new Selection.State(2, 2, 3, true));
  }

  @Test
  void refusesAMetricThatTheEvaluationHasNotAndStatesThatCannotBe() {
    Selection selection = new Selection(arguments(false, 1, 0), Selection.State.NONE);
    assertThatThrownBy(() -> selection.take(1, Map.of("rows", 3.0, "accuracy", 1.0)))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("'metric_for_best_model' is loss; the evaluation has accuracy, rows");
    var json = JsonFiles.newObject();
    json.put("best_global_step", 9).put("best_metric", 1.5);
    json.put("early_stopping_patience_counter", 0);
    assertThatThrownBy(() -> Selection.State.read(json, 8, "here"))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("best_global_step 9");
  }

  @Test
  void settingsHaveTransformersNamesAndDefaults() {
    Map<String, String> more =
        Map.of(
            "eval_strategy", "epoch",
            "metric_for_best_model", "eval_accuracy",
            "load_best_model_at_end", "true");
    EvaluationArguments arguments = EvaluationArguments.parse(new Parameters(more), 5);
    assertThat(arguments.metricForBestModel()).isEqualTo("accuracy");
    assertThat(arguments.greaterIsBetter()).isTrue();
    assertThat(arguments.due(6, 3)).isTrue();
    assertThat(arguments.due(7, 3)).isFalse();
    assertThat(EvaluationArguments.parse(new Parameters(Map.of()), 5))
        .isEqualTo(EvaluationArguments.NONE);

    assertRefused(Map.of("eval_strategy", "often"), "it is no, steps or epoch");
    assertRefused(Map.of("early_stopping_patience", "2"), "set eval_strategy");
    assertRefused(Map.of("eval_strategy", "steps", "eval_steps", "0"), "'eval_steps' is 0");
    assertThatThrownBy(() -> EvaluationArguments.parse(new Parameters(more), 0))
        .hasMessageContaining("save_steps is 0");
  }

  private static void assertRefused(Map<String, String> parameters, String message) {
    assertThatThrownBy(() -> EvaluationArguments.parse(new Parameters(parameters), 5))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message);
  }
}
