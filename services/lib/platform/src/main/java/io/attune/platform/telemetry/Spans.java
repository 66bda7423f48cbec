package io.attune.platform.telemetry;

import io.opentelemetry.api.GlobalOpenTelemetry;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanBuilder;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import java.util.function.Supplier;

/**
 * Spans of work that no instrumentation knows. An exception ends its span with its class alone: its
 * message and stack trace may quote what people wrote.
 */
public final class Spans {

  private static final String SCOPE = "io.attune";

  private Spans() {}

  /** A span to be started, within a process. */
  public static SpanBuilder of(String name, Context parent) {
    return of(name, SpanKind.INTERNAL, parent);
  }

  /** A span to be started. */
  public static SpanBuilder of(String name, SpanKind kind, Context parent) {
    return GlobalOpenTelemetry.getTracer(SCOPE)
        .spanBuilder(name)
        .setSpanKind(kind)
        .setParent(parent);
  }

  /** Does work within a span, and ends it. */
  public static void run(Span span, Runnable work) {
    call(
        span,
        () -> {
          work.run();
          return null;
        });
  }

  /** Does work within a span, and ends it; returns what the work does. */
  public static <T> T call(Span span, Supplier<T> work) {
    try (Scope current = span.makeCurrent()) {
      return work.get();
    } catch (RuntimeException | Error failure) {
      fail(span, failure);
      throw failure;
    } finally {
      span.end();
    }
  }

  /** Marks a span as failed. */
  public static void fail(Span span, Throwable failure) {
    span.setStatus(StatusCode.ERROR).setAttribute("error.type", failure.getClass().getName());
  }

  /** Does work as a part of a span that another process or another time has started. */
  public static void continuing(String traceparent, Runnable work) {
    try (Scope current = TraceParent.context(traceparent).makeCurrent()) {
      work.run();
    }
  }
}
