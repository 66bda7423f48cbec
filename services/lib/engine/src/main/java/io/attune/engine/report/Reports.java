package io.attune.engine.report;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** All reporters of one start of a run. Single-threaded. */
public final class Reports {
  private final List<Reporter> reporters;

  private Reports(List<Reporter> reporters) {
    this.reporters = reporters;
  }

  /**
   * @param out the run's folder
   * @param parameters the run's settings, for people to see
   * @param notices told on the thread that calls this object's methods
   */
  public static Reports of(
      ReportSettings settings, Path out, Map<String, String> parameters, Consumer<String> notices) {
    List<Reporter> reporters = new ArrayList<>();
    if (settings.tensorBoard() != null) {
      reporters.add(new TensorBoardReporter(settings.tensorBoard(), parameters));
    }
    if (settings.mlflow() != null) {
      reporters.add(
          new MlflowReporter(
              settings.mlflow(), out, parameters, notices, MlflowReporter.Pace.DEFAULT));
    }
    return new Reports(reporters);
  }

  /**
   * A step is done; the first one of a start says where the run goes on.
   *
   * @param step steps done, from 1
   * @param metrics by the names of {@code metrics.jsonl}
   */
  public void step(int step, Map<String, Double> metrics) {
    reporters.forEach(reporter -> reporter.step(step, metrics));
  }

  /** Does work that calls {@link #step}, and reports how it ended. */
  public <T> T during(Supplier<T> work) {
    T result;
    try {
      result = work.get();
    } catch (RuntimeException | Error e) {
      end(e);
      throw e;
    }
    reporters.forEach(reporter -> reporter.end(Outcome.FINISHED));
    return result;
  }

  private void end(Throwable failure) {
    boolean cancelled =
        failure instanceof EngineException engine && engine.reason() == Reason.CANCELLED;
    for (Reporter reporter : reporters) {
      try {
        reporter.end(cancelled ? Outcome.KILLED : Outcome.FAILED);
      } catch (RuntimeException e) {
        failure.addSuppressed(e);
      }
    }
  }
}
