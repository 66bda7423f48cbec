package io.attune.platform.line;

import io.attune.platform.error.ErrorCodes;
import io.attune.platform.error.Failures;
import io.attune.platform.error.PlatformException;
import io.attune.platform.telemetry.Spans;
import io.attune.platform.telemetry.TraceParent;
import io.attune.training.v1.LineKind;
import io.micrometer.core.instrument.Metrics;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import java.util.HashMap;
import java.util.Map;
import org.jboss.logging.Logger;

/**
 * Brings what is served to what must be served: loads a released version beside the old one, then
 * switches. A version that cannot be loaded leaves the old one in place. One thread calls it.
 */
public final class LineSwitch<H extends AutoCloseable> {

  /** Loads a version; digests and contracts are checked here. */
  @FunctionalInterface
  public interface Loader<H> {
    /**
     * @throws PlatformException UNAVAILABLE if the same load may succeed later, anything else is
     *     final
     */
    H load(Release release);
  }

  /** Hears of every switch and of every load that failed. */
  public interface Listener {
    void activated(LineVersion version);

    void failed(LineVersion version, PlatformException failure);
  }

  private static final Logger LOG = Logger.getLogger(LineSwitch.class);

  private final LineKind kind;
  private final ServedLines<H> lines;
  private final Loader<H> loader;
  private final Listener listener;
  private final Map<LineKey, Long> revisions = new HashMap<>();
  private final Map<LineKey, LineState> retries = new HashMap<>();

  public LineSwitch(LineKind kind, ServedLines<H> lines, Loader<H> loader, Listener listener) {
    this.kind = kind;
    this.lines = lines;
    this.loader = loader;
    this.listener = listener;
  }

  /** Takes a line's state; one of another kind or of an older revision changes nothing. */
  public void apply(LineState state) {
    if (state.kind() != kind || state.revision() <= revisions.getOrDefault(state.key(), 0L)) {
      return;
    }
    revisions.put(state.key(), state.revision());
    retries.remove(state.key());
    bringTo(state);
  }

  /** Tries again what failed for a reason that may have passed. */
  public void retry() {
    for (LineState state : Map.copyOf(retries).values()) {
      retries.remove(state.key());
      bringTo(state);
    }
  }

  private void bringTo(LineState state) {
    LineVersion wanted = state.version();
    if (lines.version(state.tenant(), state.line()).filter(wanted::equals).isPresent()) {
      return;
    }
    Span span =
        Spans.of("activate version", SpanKind.CONSUMER, TraceParent.context(state.traceparent()))
            .setAttribute("attune.line", wanted.line())
            .setAttribute("attune.version", wanted.version())
            .setAttribute("attune.revision", state.revision())
            .startSpan();
    Metrics.timer("attune.lines.activation.time", "line", wanted.line())
        .record(() -> Spans.run(span, () -> load(state, wanted, span)));
  }

  private void load(LineState state, LineVersion wanted, Span span) {
    try {
      ServedVersion<H> next =
          state.active().isPresent()
              ? ServedVersion.of(wanted, loader.load(state.active().get()))
              : ServedVersion.base(state.tenant(), state.line());
      lines.serve(next);
      LOG.infof(
          "Version activated tenant=%s version=%s revision=%d",
          wanted.tenant(), wanted, state.revision());
      listener.activated(wanted);
    } catch (RuntimeException thrown) {
      Spans.fail(span, thrown);
      fail(state, Failures.toCaller(thrown));
    }
  }

  private void fail(LineState state, PlatformException failure) {
    LOG.errorf(
        "Version not activated tenant=%s version=%s errorCode=%s reason=%s; served stays %s",
        state.tenant(),
        state.version(),
        ErrorCodes.reason(failure.code()),
        failure.getMessage(),
        lines.version(state.tenant(), state.line()).map(LineVersion::toString).orElse("nothing"));
    lines.failed(state.key(), failure.getMessage());
    if (ErrorCodes.retryable(failure.code())) {
      retries.put(state.key(), state);
    }
    listener.failed(state.version(), failure);
  }
}
