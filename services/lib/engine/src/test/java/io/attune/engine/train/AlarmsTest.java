package io.attune.engine.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.EngineException;
import io.attune.engine.checkpoint.JsonFiles;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.IntToDoubleFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AlarmsTest {
  private static final AlarmSettings DEFAULT = AlarmSettings.DEFAULT;

  private static Alarms alarms(AlarmSettings settings) {
    return new Alarms(
        settings, AlarmState.NONE, step -> step > 0 ? Path.of("run/cp-" + step) : null);
  }

  /** The step at which a run is stopped; 0 where it is not. */
  private static int stopped(
      AlarmSettings settings, int steps, IntToDoubleFunction loss, IntToDoubleFunction norm) {
    Alarms alarms = alarms(settings);
    for (int step = 1; step <= steps; step++) {
      try {
        alarms.check(step, loss.applyAsDouble(step), norm.applyAsDouble(step));
      } catch (EngineException e) {
        assertThat(e.reason()).isEqualTo(EngineException.Reason.DIVERGED);
        assertThat(e).hasMessageStartingWith("step " + step + ": ");
        return step;
      }
    }
    return 0;
  }

  @ParameterizedTest
  @CsvSource({"NaN, 1", "2, NaN", "Infinity, 1", "2, Infinity", "-Infinity, 1"})
  void whatIsNotFiniteStopsAtOnce(double loss, double norm) {
    Alarms alarms = alarms(DEFAULT);
    for (int step = 1; step < 9; step++) {
      assertThat(alarms.check(step, 2, 1)).isTrue();
    }
    assertThatThrownBy(() -> alarms.check(9, loss, norm))
        .hasMessageContaining("the loss is " + loss + " and the gradients' norm " + norm)
        .hasMessageContaining("last good checkpoint is run/cp-7")
        .hasMessageContaining("learning_rate")
        .hasMessageContaining("max_grad_norm")
        .hasMessageContaining("alarm_nan_steps=0");
  }

  @Test
  void stepsThatAreNotFiniteMayBeLeftOut() {
    Alarms never = alarms(new AlarmSettings(0, 20, 50, 5, 3, 20, 5));
    assertThat(never.check(1, 2, 1)).isTrue();
    for (int step = 2; step < 100; step++) {
      assertThat(never.check(step, Double.NaN, 1)).isFalse();
    }
    assertThat(never.check(100, 2, 1)).isTrue();
    assertThat(never.isSuspicious()).isFalse();

    AlarmSettings third = new AlarmSettings(3, 20, 50, 5, 3, 20, 5);
    assertThat(stopped(third, 99, step -> step % 3 == 0 ? 2 : Double.NaN, step -> 1)).isZero();
    assertThat(stopped(third, 99, step -> step < 20 ? 2 : Double.NaN, step -> 1)).isEqualTo(22);
  }

  @Test
  void explodingGradientsStopTheRunInTheirFifthStep() {
    IntToDoubleFunction norm = step -> step < 60 ? 0.5 + 0.1 * (step % 5) : 15;
    assertThat(stopped(DEFAULT, 200, step -> 2, norm)).isEqualTo(64);
    assertThatThrownBy(
            () -> {
              Alarms alarms = alarms(DEFAULT);
              for (int step = 1; step < 70; step++) {
                alarms.check(step, 2, norm.applyAsDouble(step));
              }
            })
        .hasMessage(
            "step 64: the gradients explode: for 5 steps in a row their norm was above 20.0 times"
                + " its usual 0.7000, now it is 15.00 (the loss is 2.000); stopped before this step"
                + " changed the weights. The last good checkpoint is run/cp-58: go on from it"
                + " (resume_from_checkpoint), in another folder, with a lower learning_rate, more"
                + " warmup_steps or a lower max_grad_norm, or look for broken rows."
                + " alarm_grad_norm_factor sets this limit; 0 switches it off");
  }

  @Test
  void fourWildStepsAreNone() {
    assertThat(stopped(DEFAULT, 500, step -> 2, step -> step > 20 && step % 5 > 0 ? 99 : 1))
        .as("every fifth step is an ordinary one")
        .isZero();
  }

  @Test
  void gradientsOfAFittedModelMayJumpBackToWhereTheyBegan() {
    IntToDoubleFunction norm = step -> step < 100 ? 1 : step < 300 ? 0.001 : 15;
    assertThat(stopped(DEFAULT, 400, step -> 2, norm)).isZero();
  }

  @Test
  void anExplodingLossStopsTheRun() {
    IntToDoubleFunction rising = step -> step < 40 ? 2.5 - step / 50.0 : Math.min(11, step - 37);
    int step = stopped(DEFAULT, 200, rising, s -> 1);
    assertThat(step).isBetween(47, 54);
    assertThat(stopped(new AlarmSettings(1, 0, 50, 5, 0, 20, 5), 200, rising, s -> 1)).isZero();
    AlarmSettings late = new AlarmSettings(1, 0, 50, 5, 10, 20, 5);
    assertThat(stopped(late, 200, rising, s -> 1)).as("a limit beyond its plateau").isZero();
  }

  @Test
  void oneOutlierIsNoExplosion() {
    assertThat(stopped(DEFAULT, 200, step -> step == 50 ? 500 : 2, step -> 1)).isZero();
  }

  @Test
  void aLossNearZeroMayRiseToWhatTheRunBeganWith() {
    assertThat(stopped(DEFAULT, 400, step -> step < 100 ? 2 : step < 200 ? 1e-4 : 1.9, step -> 1))
        .isZero();
  }

  @Test
  void lossesAroundZeroHaveNoRatio() {
    assertThat(stopped(DEFAULT, 400, step -> Math.sin(step) / 100, step -> 1)).isZero();
    assertThat(stopped(DEFAULT, 400, step -> step < 50 ? 0 : 9, step -> 0)).isZero();
  }

  /**
   * Runs of single rows, whose losses and gradients are as unlike as those of short answers: log
   * normal, with a spread of 0.7 in the logarithm, falling to a tenth.
   */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void ordinaryNoiseRaisesNoAlarm(long seed) {
    Random random = new Random(seed);
    IntToDoubleFunction loss =
        step -> (0.1 + 0.9 * Math.exp(-step / 500.0)) * 2.5 * Math.exp(0.7 * random.nextGaussian());
    IntToDoubleFunction norm =
        step -> (0.01 + Math.exp(-step / 300.0)) * Math.exp(random.nextGaussian());
    assertThat(stopped(DEFAULT, 20_000, loss, norm)).isZero();
  }

  @Test
  void aResumedRunIsStoppedAtTheSameStepForTheSameReason() {
    Random random = new Random(7);
    double[] losses = random.doubles(200, 1.5, 2.5).toArray();
    double[] norms = random.doubles(200, 0.5, 1.5).toArray();
    Arrays.fill(norms, 120, 200, 40);
    List<String> reasons = new ArrayList<>();
    for (int interval : new int[] {1000, 1, 7, 61}) {
      AlarmState state = AlarmState.NONE;
      Alarms alarms = alarms(DEFAULT);
      for (int step = 1; step <= 200; step++) {
        try {
          alarms.check(step, losses[step - 1], norms[step - 1]);
        } catch (EngineException e) {
          reasons.add(e.getMessage());
          break;
        }
        if (step % interval == 0) {
          ObjectNode json = JsonFiles.newObject();
          alarms.state().write(json);
          state = AlarmState.read(JsonFiles.parse(json.toString(), "test"), step, "test");
          assertThat(state).isEqualTo(alarms.state());
          alarms = new Alarms(DEFAULT, state, s -> Path.of("run/cp-" + s));
        }
      }
    }
    assertThat(reasons).hasSize(4).allMatch(reasons.get(0)::equals);
    assertThat(reasons.get(0)).startsWith("step 125: the gradients explode").contains("run/cp-119");
  }

  @ParameterizedTest
  @CsvSource({
    "alarm_nan_steps, -1",
    "alarm_grad_norm_factor, 1",
    "alarm_grad_norm_factor, -2",
    "alarm_grad_norm_factor, NaN",
    "alarm_grad_norm_window, 9",
    "alarm_grad_norm_steps, 0",
    "alarm_loss_factor, 0.5",
    "alarm_loss_window, 0",
    "alarm_loss_steps, 0"
  })
  void settingsOutOfRangeAreRefusedByName(String name, String value) {
    assertThatThrownBy(() -> AlarmSettings.parse(new Parameters(Map.of(name, value))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("'" + name + "' is ");
    assertThat(AlarmSettings.parse(new Parameters(Map.of()))).isEqualTo(DEFAULT);
  }
}
