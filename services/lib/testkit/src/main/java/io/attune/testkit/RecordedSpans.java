package io.attune.testkit;

import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import io.quarkus.arc.Unremovable;
import jakarta.inject.Singleton;
import java.util.Collection;
import java.util.List;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * The spans of the service under test, in place of an exporter that sends them. None is recorded
 * unless the test's profile takes {@link #SETTING}.
 */
@Singleton
@Unremovable
public class RecordedSpans implements SpanExporter {

  /** By which a service records traces; nothing is ever sent there. */
  public static final String SETTING = "quarkus.otel.exporter.otlp.endpoint";

  /** A value for it. */
  public static final String ENDPOINT = "http://127.0.0.1:4317";

  private final Queue<SpanData> spans = new ConcurrentLinkedQueue<>();

  /** A W3C traceparent of a new trace, as a caller would send it. */
  public static String newTraceparent() {
    String random = UUID.randomUUID().toString().replace("-", "");
    return "00-%s-%s-01".formatted(random, random.substring(0, 16));
  }

  /** The trace of a traceparent. */
  public static String traceId(String traceparent) {
    return traceparent.split("-", -1)[1];
  }

  /** The span of a traceparent. */
  public static String spanId(String traceparent) {
    return traceparent.split("-", -1)[2];
  }

  /** Spans that have ended, of one trace. */
  public List<SpanData> of(String traceId) {
    return spans.stream().filter(span -> span.getTraceId().equals(traceId)).toList();
  }

  /** All spans that have ended. */
  public List<SpanData> all() {
    return List.copyOf(spans);
  }

  @Override
  public CompletableResultCode export(Collection<SpanData> ended) {
    spans.addAll(ended);
    return CompletableResultCode.ofSuccess();
  }

  @Override
  public CompletableResultCode flush() {
    return CompletableResultCode.ofSuccess();
  }

  @Override
  public CompletableResultCode shutdown() {
    return CompletableResultCode.ofSuccess();
  }
}
