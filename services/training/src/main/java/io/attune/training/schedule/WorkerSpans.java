package io.attune.training.schedule;

import io.attune.platform.telemetry.Spans;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.context.Context;
import java.util.UUID;

/**
 * Spans of what a worker does. It has no telemetry of its own, and tells what it begins; a span
 * lasts until the next, or until the process has ended. What the worker says is heard on another
 * thread than the one that waits for its end.
 */
final class WorkerSpans implements AutoCloseable {
  private final Context parent = Context.current();
  private final UUID job;
  private Span span = Span.getInvalid();

  WorkerSpans(UUID job) {
    this.job = job;
  }

  synchronized void begin(String phase) {
    span.end();
    span =
        Spans.of("worker " + phase, parent)
            .setAttribute("attune.job.id", job.toString())
            .startSpan();
  }

  @Override
  public synchronized void close() {
    span.end();
  }
}
