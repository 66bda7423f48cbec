package io.attune.engine.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ReportSettingsTest {
  private static final Map<String, String> SERVER =
      Map.of("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000/");

  private final Path folder = Path.of("out");

  @Test
  void settingsThatNameNoServerAreRefused() {
    assertRefused("", "MLFLOW_TRACKING_URI is not set");
    for (String uri :
        List.of("file:///mlruns", "databricks", "sqlite:///x.db", "http://", "h tt")) {
      assertRefused(uri, "MLFLOW_TRACKING_URI is not the address of an MLflow server");
    }
    assertThatThrownBy(
            () ->
                MlflowSettings.of(Map.of("MLFLOW_TRACKING_URI", "http://me:pass@host:5000"), null))
        .hasMessageContaining("MLFLOW_TRACKING_PASSWORD")
        .hasMessageNotContaining("me:pass");
  }

  @Test
  void theEnvironmentIsMlflowsOwn() {
    Map<String, String> environment = new HashMap<>(SERVER);
    MlflowSettings plain = MlflowSettings.of(environment, null);
    assertThat(plain)
        .isEqualTo(new MlflowSettings("http://127.0.0.1:5000", "Default", null, null, null));
    environment.put("MLFLOW_TRACKING_TOKEN", "t");
    assertThat(MlflowSettings.of(environment, null).authorization()).isEqualTo("Bearer t");
    environment.put("MLFLOW_TRACKING_USERNAME", "u");
    environment.put("MLFLOW_TRACKING_PASSWORD", "p");
    assertThat(MlflowSettings.of(environment, null).authorization()).isEqualTo("Basic dTpw");
  }

  private static void assertRefused(String uri, String message) {
    assertThatThrownBy(() -> MlflowSettings.of(Map.of("MLFLOW_TRACKING_URI", uri), null))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message);
  }

  @Test
  void namesOfReportToAreChecked() {
    assertThatThrownBy(() -> ReportSettings.of(List.of("wandb"), null, null, folder, SERVER))
        .hasMessage("'report_to' is wandb; implemented are none, tensorboard, mlflow");
    assertThatThrownBy(
            () -> ReportSettings.of(List.of("none", "mlflow"), null, null, folder, SERVER))
        .hasMessageContaining("choose");
    ReportSettings both =
        ReportSettings.of(List.of("tensorboard", "mlflow"), null, "r", folder, SERVER);
    assertThat(both.tensorBoard()).isEqualTo(folder.resolve("runs"));
    assertThat(both.mlflow().runName()).isEqualTo("r");
    assertThat(ReportSettings.of(List.of("tensorboard"), "/x", null, folder, Map.of()))
        .isEqualTo(new ReportSettings(Path.of("/x"), null));
    assertThat(ReportSettings.of(List.of("none"), "/x", null, folder, Map.of()))
        .isEqualTo(new ReportSettings(null, null));
  }
}
