package io.attune.serving.generate;

import io.attune.common.v1.ErrorCode;
import io.attune.platform.error.ErrorCodes;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.util.Locale;

/**
 * What is counted and timed of answers. Labels are lines, kinds and error codes: never user text.
 */
public final class AnswerMetrics {

  private final MeterRegistry registry;

  public AnswerMetrics(MeterRegistry registry, Admission admission) {
    this.registry = registry;
    registry.gauge("attune.serving.answers.running", admission, Admission::running);
    registry.gauge("attune.serving.answers.waiting", admission, Admission::waiting);
  }

  /** The clock of one answer. One thread at a time uses it. */
  public final class Timing {
    private final String line;
    private final String kind;
    private final Timer.Sample asked = Timer.start(registry);
    private boolean spoke;

    private Timing(String line, Admission.Kind kind) {
      this.line = line;
      this.kind = kind.name().toLowerCase(Locale.ROOT);
    }

    void started() {
      asked.stop(timer("attune.serving.queue.time"));
    }

    void token() {
      if (!spoke) {
        spoke = true;
        asked.stop(timer("attune.serving.first.token.time"));
      }
    }

    void completed(int promptTokens, int completionTokens) {
      asked.stop(timer("attune.serving.answer.time"));
      answers("OK").increment();
      registry
          .counter("attune.serving.tokens", "line", line, "part", "prompt")
          .increment(promptTokens);
      registry
          .counter("attune.serving.tokens", "line", line, "part", "completion")
          .increment(completionTokens);
    }

    void failed(ErrorCode code) {
      answers(ErrorCodes.reason(code)).increment();
    }

    private Counter answers(String outcome) {
      return registry.counter(
          "attune.serving.answers", "line", line, "kind", kind, "outcome", outcome);
    }

    private Timer timer(String name) {
      return Timer.builder(name).tag("kind", kind).publishPercentileHistogram().register(registry);
    }
  }

  Timing begin(String line, Admission.Kind kind) {
    return new Timing(line, kind);
  }

  /** A call that was refused before it became an answer. */
  void refused(ErrorCode code) {
    registry.counter("attune.serving.refused", "reason", ErrorCodes.reason(code)).increment();
  }
}
