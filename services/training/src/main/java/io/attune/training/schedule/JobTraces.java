package io.attune.training.schedule;

import io.attune.platform.telemetry.Spans;
import io.attune.platform.telemetry.TraceParent;
import io.attune.training.job.Job;
import io.attune.training.job.Jobs;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanBuilder;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The trace of each job: that of what asked for it, so that it leads from the rating to the adapter
 * over every process and restart in between.
 */
@ApplicationScoped
public class JobTraces {
  private final Jobs jobs;
  private final Map<UUID, Optional<String>> known = new ConcurrentHashMap<>();

  @Inject
  JobTraces(Jobs jobs) {
    this.jobs = jobs;
  }

  /** Does work as a part of what asked for the job. */
  void continuing(Job job, Runnable work) {
    Spans.continuing(traceparent(job), work);
  }

  /** Begins to carry a job out. */
  Span begin(Job job) {
    SpanBuilder span =
        Spans.of("run job", TraceParent.context(traceparent(job)))
            .setAttribute("attune.job.id", job.id().toString())
            .setAttribute("attune.line", job.spec().getLine())
            .setAttribute("attune.job.created_by", kind(job.createdBy()));
    return span.startSpan();
  }

  /** Lets go of jobs that are final. */
  void retain(Set<UUID> open) {
    known.keySet().retainAll(open);
  }

  private String traceparent(Job job) {
    return known.computeIfAbsent(job.id(), id -> jobs.traceparent(job.tenant(), id)).orElse(null);
  }

  /** Who a person is does not belong into a trace. */
  private static String kind(String createdBy) {
    return createdBy.startsWith("trigger:") ? createdBy : "caller";
  }
}
