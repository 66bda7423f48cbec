package io.attune.engine;

import io.attune.engine.report.ReportSettings;
import io.attune.engine.report.Reports;
import io.attune.engine.train.RunContext;
import io.attune.engine.train.StepMetrics;
import io.attune.engine.train.TrainingLoop;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Who hears of a training run, and what stops it. */
record RunAudience(ReportSettings reports, ProgressListener listener, CancelSignal cancel) {

  /**
   * Runs a loop in front of all of them.
   *
   * @param folder of the run
   * @param fingerprint of the run
   * @param described the run's settings, for people to see
   * @param resumeFrom a checkpoint of another run to go on from; null for none
   */
  @Nullable StepMetrics during(
      Path folder,
      String fingerprint,
      Map<String, String> described,
      @Nullable Path resumeFrom,
      Function<RunContext, StepMetrics> loop) {
    if (resumeFrom != null) {
      TrainingLoop.startFrom(resumeFrom, folder, fingerprint, listener::onNotice);
    }
    Reports shown = Reports.of(reports, folder, described, listener::onNotice);
    RunContext context =
        new RunContext(
            folder,
            fingerprint,
            step -> {
              Map<String, Double> metrics = step.values();
              shown.step(step.step(), metrics);
              listener.onStep(step.step(), step.totalSteps(), metrics);
            },
            listener::onNotice,
            cancel::isCancelled);
    return shown.during(() -> loop.apply(context));
  }
}
