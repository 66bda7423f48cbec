package io.attune.engine.report;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Where a run is shown besides {@code metrics.jsonl}, by transformers' names. None of it changes
 * what the run learns.
 *
 * @param tensorBoard the folder of event files; null for none
 * @param mlflow null for none
 */
public record ReportSettings(@Nullable Path tensorBoard, @Nullable MlflowSettings mlflow) {
  /** The settings that are read here. */
  public static final Set<String> NAMES = Set.of("report_to", "logging_dir", "run_name");

  private static final String NONE = "none";
  private static final String TENSORBOARD = "tensorboard";
  private static final String MLFLOW = "mlflow";

  /**
   * @param reportTo names of {@code report_to}
   * @param loggingDir null for {@code runs} in {@code out}
   * @param out the run's folder
   * @param environment variables that say where MLflow is
   */
  public static ReportSettings of(
      List<String> reportTo,
      @Nullable String loggingDir,
      @Nullable String runName,
      Path out,
      Map<String, String> environment) {
    for (String name : reportTo) {
      if (!Set.of(NONE, TENSORBOARD, MLFLOW).contains(name)) {
        throw new IllegalArgumentException(
            "'report_to' is " + name + "; implemented are none, tensorboard, mlflow");
      }
    }
    if (reportTo.contains(NONE) && reportTo.size() > 1) {
      throw new IllegalArgumentException("'report_to' names none and others; choose");
    }
    return new ReportSettings(
        !reportTo.contains(TENSORBOARD)
            ? null
            : loggingDir == null ? out.resolve("runs") : Path.of(loggingDir),
        reportTo.contains(MLFLOW) ? MlflowSettings.of(environment, runName) : null);
  }
}
