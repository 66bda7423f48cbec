package io.attune.platform.telemetry;

import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.TextMapGetter;
import java.util.List;

/**
 * The context of a span as text, by which another process or a later time continues its trace: the
 * value of W3C's {@code traceparent}. {@code tracestate} is not kept.
 *
 * @see <a href="https://www.w3.org/TR/trace-context/#traceparent-header">Trace Context</a>
 */
public final class TraceParent {

  /** Name of the header, of HTTP and of Kafka records. */
  public static final String HEADER = "traceparent";

  /** Name of the environment variable that child processes read. */
  public static final String ENVIRONMENT = "TRACEPARENT";

  private static final TextMapGetter<String> TEXT =
      new TextMapGetter<>() {
        @Override
        public Iterable<String> keys(String traceparent) {
          return List.of(HEADER);
        }

        @Override
        public String get(String traceparent, String key) {
          return HEADER.equals(key) ? traceparent : null;
        }
      };

  private TraceParent() {}

  /** The span under way; null outside of any. */
  public static String current() {
    return of(Context.current());
  }

  /** The span of a context; null where it has none. */
  public static String of(Context context) {
    String[] text = new String[1];
    W3CTraceContextPropagator.getInstance()
        .inject(
            context,
            text,
            (carrier, key, value) -> {
              if (HEADER.equals(key)) {
                carrier[0] = value;
              }
            });
    return text[0];
  }

  /** The context to continue; a new trace's where the text is null or none. */
  public static Context context(String traceparent) {
    return traceparent == null
        ? Context.root()
        : W3CTraceContextPropagator.getInstance().extract(Context.root(), traceparent, TEXT);
  }

  /** Whether the trace is recorded. */
  public static boolean isSampled(String traceparent) {
    return Span.fromContext(context(traceparent)).getSpanContext().isSampled();
  }
}
