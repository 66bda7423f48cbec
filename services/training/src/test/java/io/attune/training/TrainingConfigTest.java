package io.attune.training;

import static io.attune.training.Settings.with;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TrainingConfigTest {

  @Test
  void nothingButTheStorageMustBeSet() {
    TrainingConfig config = with(Map.of());

    assertThat(config.folder()).isEqualTo(Path.of("/storage/training-jobs"));
    assertThat(config.parallelJobs()).isEqualTo(1);
    assertThat(config.continueFromActive()).isTrue();
    assertThat(config.snapshotPatience()).isEqualTo(Duration.ofMinutes(10));
    assertThat(config.worker().heap()).isEqualTo("1g");
    assertThat(config.worker().jvmOptions()).isEmpty();
    assertThat(config.worker().cancelGrace()).isEqualTo(Duration.ofSeconds(10));
    assertThat(config.trigger().policy().arguments()).isEmpty();
  }

  @Test
  void noRoundStartsByItselfUnlessALineIsNamed() {
    assertThat(with(Map.of()).trigger().line()).isEmpty();
    assertThat(with(Map.of("attune.training.trigger.line", "support")).trigger().line())
        .contains("support");
  }

  /** With neither margin nor sample set, a candidate that is merely as good must not pass. */
  @Test
  void theGateIsClosedByDefault() {
    TrainingConfig.Gate gate = with(Map.of()).gate();

    assertThat(gate.policyMargin()).isPositive();
    assertThat(gate.rewardMargin()).isPositive();
    assertThat(gate.minimumSample()).isBetween(2, gate.maximumSample());
    assertThat(gate.resamples()).isGreaterThanOrEqualTo(1_000);
  }

  @Test
  void namesOfTheContractAreKeysOfAJobsSettings() {
    TrainingConfig config = with(Map.of("attune.training.trigger.reward.arguments.max_steps", "7"));

    assertThat(config.trigger().reward().arguments()).isEqualTo(Map.of("max_steps", "7"));
  }

  @Test
  void aMisspelledSettingIsRefused() {
    assertThatThrownBy(() -> with(Map.of("attune.training.gate.policy-marign", "0.1")))
        .hasMessageContaining("policy-marign");
  }
}
