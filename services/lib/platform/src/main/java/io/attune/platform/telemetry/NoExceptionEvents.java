package io.attune.platform.telemetry;

import io.opentelemetry.context.Context;
import io.opentelemetry.sdk.trace.ReadWriteSpan;
import io.opentelemetry.sdk.trace.ReadableSpan;
import io.opentelemetry.sdk.trace.SpanProcessor;
import io.quarkus.arc.Unremovable;
import jakarta.inject.Singleton;

/**
 * Keeps exceptions out of spans, to which the instrumentation of HTTP and gRPC adds them as events,
 * with messages and stack traces that may quote what people wrote. No setting turns that off, and a
 * span has room for one event at least: this takes it, with {@code
 * quarkus.otel.span.event.count.limit=1}.
 */
@Singleton
@Unremovable
public class NoExceptionEvents implements SpanProcessor {

  @Override
  public void onStart(Context parent, ReadWriteSpan span) {
    span.addEvent("started");
  }

  @Override
  public boolean isStartRequired() {
    return true;
  }

  @Override
  public void onEnd(ReadableSpan span) {}

  @Override
  public boolean isEndRequired() {
    return false;
  }
}
