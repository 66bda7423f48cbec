package io.attune.serving;

import static io.attune.testkit.RecordedSpans.newTraceparent;
import static io.attune.testkit.RecordedSpans.spanId;
import static io.attune.testkit.RecordedSpans.traceId;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.Message;
import io.attune.common.v1.AdapterVersion;
import io.attune.common.v1.Artifact;
import io.attune.common.v1.Prompt;
import io.attune.platform.event.EventRecords;
import io.attune.platform.event.Events;
import io.attune.platform.event.KafkaClients;
import io.attune.platform.event.RecordSpans;
import io.attune.platform.telemetry.Spans;
import io.attune.platform.telemetry.TraceParent;
import io.attune.serving.v1.AdapterActivated;
import io.attune.serving.v1.GenerateRequest;
import io.attune.serving.v1.GenerationCompleted;
import io.attune.serving.v1.SamplingParameters;
import io.attune.testkit.Infrastructure;
import io.attune.testkit.RecordedSpans;
import io.attune.training.v1.RolloutCompleted;
import io.attune.training.v1.RolloutRequested;
import io.grpc.Metadata;
import io.grpc.stub.MetadataUtils;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.quarkus.test.common.ResourceArg;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.Predicate;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Releases, rollouts and answers belong to the traces of whoever asked for them. */
@QuarkusTest
@WithTestResource(
    value = Infrastructure.class,
    initArgs = @ResourceArg(name = "database", value = "false"))
class TraceIT {
  private static final Duration LIMIT = Duration.ofSeconds(60);

  @Inject RecordedSpans spans;
  @Inject KafkaClients kafka;

  private final Fixture fixture = new Fixture();

  @AfterEach
  void close() {
    fixture.close();
  }

  @Test
  void aReleaseIsActivatedInItsTrace() {
    String release = newTraceparent();
    Artifact artifact = fixture.publish(Fixture.ADAPTERS.resolve("one"));

    Spans.continuing(
        release, () -> fixture.release("traced", 1, Fixture.adapter("traced", 1, artifact)));

    SpanData activated =
        sender(AdapterActivated.class, e -> e.getAdapter().getLine().equals("traced"), release);
    assertThat(activated.getName()).isEqualTo("activate version");
    assertThat(activated.getParentSpanId()).isEqualTo(spanId(release));
    assertThat(activated.getAttributes().asMap().toString())
        .contains("attune.line=traced", "attune.version=1");
  }

  @Test
  void aRolloutIsAnsweredInItsTrace() {
    String asked = newTraceparent();
    String id = UUID.randomUUID().toString();
    var request =
        RolloutRequested.newBuilder()
            .setRolloutId(id)
            .setJobId("job-9")
            .setPurpose("gate/active")
            .setAdapter(AdapterVersion.newBuilder().setLine("candidate"))
            .setSampling(SamplingParameters.newBuilder().setTemperature(0).setMaxNewTokens(4))
            .addPrompts(Prompt.newBuilder().setText("hello"))
            .build();

    Spans.continuing(asked, () -> fixture.send(request));

    SpanData processed = sender(RolloutCompleted.class, e -> e.getRolloutId().equals(id), asked);
    assertThat(processed.getName()).isEqualTo("process rollouts.requested.v1");
    assertThat(processed.getKind()).isEqualTo(SpanKind.CONSUMER);
    assertThat(processed.getParentSpanId()).isEqualTo(spanId(asked));
    assertThat(spans.of(traceId(asked)))
        .anyMatch(
            span ->
                span.getName().equals("generate")
                    && span.getParentSpanId().equals(processed.getSpanId()));
  }

  @Test
  void anAnswerIsToldInItsCallersTrace() {
    String caller = newTraceparent();
    var headers = new Metadata();
    headers.put(Metadata.Key.of(TraceParent.HEADER, Metadata.ASCII_STRING_MARSHALLER), caller);
    fixture
        .blocking()
        .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers))
        .generate(
            GenerateRequest.newBuilder()
                .setConversationId("traced-conversation")
                .setPrompt(Prompt.newBuilder().setText("hello"))
                .setSampling(SamplingParameters.newBuilder().setMaxNewTokens(3))
                .build())
        .forEachRemaining(piece -> {});

    SpanData generated =
        sender(
            GenerationCompleted.class,
            e -> e.getGeneration().getConversationId().equals("traced-conversation"),
            caller);
    assertThat(generated.getName()).isEqualTo("generate");
    assertThat(generated.getAttributes().asMap().toString())
        .contains("gen_ai.usage.output_tokens=3");
    SpanData served = span(generated.getTraceId(), generated.getParentSpanId());
    assertThat(served.getKind()).isEqualTo(SpanKind.SERVER);
  }

  /** The span that sent the first event that is wanted: of the trace of whoever asked for it. */
  private <M extends Message> SpanData sender(Class<M> type, Predicate<M> wanted, String by) {
    String traceparent = traceparent(type, wanted);
    assertThat(traceparent).isNotNull();
    assertThat(traceId(traceparent)).isEqualTo(traceId(by));
    return span(traceId(by), spanId(traceparent));
  }

  private SpanData span(String trace, String id) {
    return await("span " + id)
        .atMost(LIMIT)
        .until(
            () -> spans.of(trace).stream().filter(span -> span.getSpanId().equals(id)).toList(),
            found -> found.size() == 1)
        .get(0);
  }

  private <M extends Message> String traceparent(Class<M> type, Predicate<M> wanted) {
    String topic =
        Events.topic(com.google.protobuf.Internal.getDefaultInstance(type).getDescriptorForType());
    List<String> found = new ArrayList<>();
    try (KafkaConsumer<String, byte[]> reader = kafka.consumer(UUID.randomUUID().toString(), 500)) {
      reader.subscribe(List.of(topic));
      await("a record on " + topic)
          .atMost(LIMIT)
          .until(
              () -> {
                for (var one : reader.poll(Duration.ofMillis(200))) {
                  if (wanted.test(EventRecords.decode(one, type))) {
                    found.add(RecordSpans.traceparent(one));
                  }
                }
                return !found.isEmpty();
              });
    }
    return found.get(0);
  }
}
