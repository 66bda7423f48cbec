package io.attune.training;

import static io.attune.testkit.RecordedSpans.newTraceparent;
import static io.attune.testkit.RecordedSpans.spanId;
import static io.attune.testkit.RecordedSpans.traceId;
import static io.attune.training.Graders.scored;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.Message;
import io.attune.platform.event.EventRecords;
import io.attune.platform.event.Events;
import io.attune.platform.event.RecordSpans;
import io.attune.platform.telemetry.Spans;
import io.attune.testkit.Infrastructure;
import io.attune.testkit.RecordedSpans;
import io.attune.training.v1.AdapterLineChanged;
import io.attune.training.v1.AdapterLineChanged.Change;
import io.attune.training.v1.RolloutRequested;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.junit.jupiter.api.Test;

/** Questions to serving, the gate's decision and the release belong to the job's trace. */
@QuarkusTest
@TestProfile(Traced.AtTheGate.class)
@WithTestResource(Infrastructure.class)
@WithTestResource(Ingestion.class)
class GateTraceIT {
  private static final Duration LIMIT = Duration.ofSeconds(60);

  @Inject RecordedSpans spans;
  @Inject Candidates candidates;

  @Test
  void fromTheCandidateToItsRelease() throws InterruptedException {
    String creator = newTraceparent();
    String trace = traceId(creator);
    try (Graders graders =
        Graders.answering(
            request -> List.of(scored(request, request.getAdapter().getVersion() * 0.5, 1)))) {
      Spans.continuing(creator, () -> candidates.policy("traced", 0));

      String released =
          traceparent(
              AdapterLineChanged.class,
              event ->
                  event.getLine().equals("traced") && event.getChange() == Change.CHANGE_RELEASED);
      assertThat(traceId(released)).isEqualTo(trace);
      SpanData sent = span(trace, spanId(released));
      SpanData gate = span(trace, sent.getParentSpanId());
      assertThat(gate.getName()).isEqualTo("gate");
      assertThat(gate.getParentSpanId()).isEqualTo(spanId(creator));
      assertThat(gate.getAttributes().asMap().toString()).contains("attune.gate.released=true");

      String asked =
          traceparent(
              RolloutRequested.class, event -> event.getAdapter().getLine().equals("traced"));
      assertThat(traceId(asked)).isEqualTo(trace);
      assertThat(graders.requests()).isNotEmpty();
    }
  }

  private SpanData span(String trace, String id) {
    return await("span " + id)
        .atMost(LIMIT)
        .until(
            () -> spans.of(trace).stream().filter(span -> span.getSpanId().equals(id)).toList(),
            found -> found.size() == 1)
        .get(0);
  }

  /** The trace context of the first event that is wanted. */
  private static <M extends Message> String traceparent(Class<M> type, Predicate<M> wanted) {
    String topic =
        Events.topic(com.google.protobuf.Internal.getDefaultInstance(type).getDescriptorForType());
    List<String> found = new ArrayList<>();
    try (KafkaConsumer<String, byte[]> reader = Topic.reader(topic)) {
      await("a record on " + topic)
          .atMost(LIMIT)
          .until(
              () -> {
                for (ConsumerRecord<String, byte[]> kafka : reader.poll(Duration.ofMillis(200))) {
                  if (wanted.test(EventRecords.decode(kafka, type))) {
                    found.add(RecordSpans.traceparent(kafka));
                  }
                }
                return !found.isEmpty();
              });
    }
    return found.get(0);
  }
}
