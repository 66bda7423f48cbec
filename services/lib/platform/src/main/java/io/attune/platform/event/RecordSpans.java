package io.attune.platform.event;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.attune.platform.telemetry.Spans;
import io.attune.platform.telemetry.TraceParent;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanBuilder;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Headers;

/**
 * Traces through Kafka: the header {@code traceparent}, and spans of sending and processing.
 *
 * @see <a href="https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/">Semantic
 *     conventions for messaging spans</a>
 */
public final class RecordSpans {

  private static final String SYSTEM = "messaging.system";
  private static final String KAFKA = "kafka";
  private static final String TOPIC = "messaging.destination.name";
  private static final String PARTITION = "messaging.destination.partition.id";
  private static final String OFFSET = "messaging.kafka.offset";
  private static final String GROUP = "messaging.consumer.group.name";
  private static final String OPERATION = "messaging.operation.type";
  private static final String OPERATION_NAME = "messaging.operation.name";
  private static final String COUNT = "messaging.batch.message_count";

  private RecordSpans() {}

  /** The context that a record was sent in, or that {@link #process} has begun for it. */
  public static Context context(ConsumerRecord<?, ?> kafka) {
    return TraceParent.context(traceparent(kafka));
  }

  /** The same as text; null where the record has none. */
  public static String traceparent(ConsumerRecord<?, ?> kafka) {
    return EventRecords.header(kafka.headers(), TraceParent.HEADER);
  }

  /**
   * Begins to work on a record, as a child of its sender's span. From now on the record carries
   * this span, so that whoever makes something of it continues from here.
   */
  public static Span process(ConsumerRecord<?, ?> kafka, String group) {
    Span span =
        processing(kafka.topic(), group, context(kafka))
            .setAttribute(PARTITION, Integer.toString(kafka.partition()))
            .setAttribute(OFFSET, kafka.offset())
            .startSpan();
    write(kafka.headers(), TraceParent.of(Context.root().with(span)));
    return span;
  }

  /** Begins to send a record for somebody who may have decided on it long ago. */
  static Span send(ProducerRecord<?, ?> kafka, String traceparent) {
    Span span =
        Spans.of("send " + kafka.topic(), SpanKind.PRODUCER, TraceParent.context(traceparent))
            .setAttribute(SYSTEM, KAFKA)
            .setAttribute(OPERATION, "send")
            .setAttribute(OPERATION_NAME, "send")
            .setAttribute(TOPIC, kafka.topic())
            .startSpan();
    write(kafka.headers(), TraceParent.of(Context.root().with(span)));
    return span;
  }

  /** Sets the header; does nothing for null. */
  static void write(Headers headers, String traceparent) {
    if (traceparent != null) {
      headers.remove(TraceParent.HEADER).add(TraceParent.HEADER, traceparent.getBytes(UTF_8));
    }
  }

  private static SpanBuilder processing(String topic, String group, Context parent) {
    return Spans.of("process " + topic, SpanKind.CONSUMER, parent)
        .setAttribute(SYSTEM, KAFKA)
        .setAttribute(OPERATION, "process")
        .setAttribute(OPERATION_NAME, "process")
        .setAttribute(TOPIC, topic)
        .setAttribute(GROUP, group);
  }

  /**
   * Work on records that are committed together: a span for each of them, and, where there are
   * several, one for the whole, which belongs to no trace of theirs and is linked with all.
   */
  static final class Batch implements AutoCloseable {
    private final List<Span> spans = new ArrayList<>();
    private final Scope current;

    @SuppressWarnings("MustBeClosedChecker") // closed with the batch
    Batch(List<? extends ConsumerRecord<?, ?>> records, String group) {
      records.forEach(kafka -> spans.add(process(kafka, group)));
      if (records.size() > 1) {
        SpanBuilder whole =
            processing(records.get(0).topic(), group, Context.root())
                .setAttribute(COUNT, records.size());
        spans.forEach(each -> whole.addLink(each.getSpanContext()));
        spans.add(whole.startSpan());
      }
      this.current = spans.get(spans.size() - 1).makeCurrent();
    }

    void fail(Throwable failure) {
      spans.forEach(span -> Spans.fail(span, failure));
    }

    @Override
    public void close() {
      current.close();
      spans.forEach(Span::end);
    }
  }
}
