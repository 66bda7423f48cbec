package io.attune.serving;

import com.google.protobuf.Message;
import com.google.protobuf.Timestamp;
import com.google.protobuf.util.Timestamps;
import io.attune.common.v1.ChatMessage;
import io.attune.common.v1.Conversation;
import io.attune.platform.error.PlatformException;
import io.attune.platform.event.EventRecords;
import io.attune.platform.identity.Tenant;
import io.attune.platform.line.LineVersion;
import io.attune.platform.time.Ids;
import io.attune.serving.generate.Answer;
import io.attune.serving.generate.Finish;
import io.attune.serving.generate.Prompt;
import io.attune.serving.v1.AdapterActivated;
import io.attune.serving.v1.FinishReason;
import io.attune.serving.v1.Generation;
import io.attune.serving.v1.GenerationCompleted;
import io.attune.training.v1.RolloutCompleted;
import io.micrometer.core.instrument.MeterRegistry;
import io.smallrye.mutiny.Uni;
import io.smallrye.reactive.messaging.MutinyEmitter;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Clock;
import java.time.Instant;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.eclipse.microprofile.reactive.messaging.Channel;
import org.eclipse.microprofile.reactive.messaging.OnOverflow;
import org.jboss.logging.Logger;

/** Everything that serving tells the rest of the platform. */
@ApplicationScoped
public class ServingPublisher {

  private static final Logger LOG = Logger.getLogger(ServingPublisher.class);

  /** Events that may wait while the broker is away; more are counted as lost, never waited for. */
  private static final int BUFFER = 8192;

  private final MutinyEmitter<ProducerRecord<String, byte[]>> events;
  private final Ids ids;
  private final MeterRegistry metrics;
  private final Clock clock;

  public ServingPublisher(
      @Channel("events") @OnOverflow(value = OnOverflow.Strategy.BUFFER, bufferSize = BUFFER)
          MutinyEmitter<ProducerRecord<String, byte[]>> events,
      Ids ids,
      MeterRegistry metrics,
      Clock clock) {
    this.events = events;
    this.ids = ids;
    this.metrics = metrics;
    this.clock = clock;
  }

  /** An answer was given. Neither delays nor fails the answer: a failure is counted and logged. */
  public void answered(Answer answer) {
    tell(
        answer.head().adapter().tenant(),
        GenerationCompleted.newBuilder()
            .setGeneration(generation(answer))
            .setCompletedTime(timestamp(answer.completed()))
            .build(),
        answer.head().generationId());
  }

  /** This replica serves a version now, or could not load it. */
  public void activated(LineVersion version, String replica, PlatformException failure) {
    var event =
        AdapterActivated.newBuilder()
            .setAdapter(version.toProto())
            .setReplica(replica)
            .setActivatedTime(timestamp(clock.instant()));
    if (failure != null) {
      event.setFailure(failure.toFailure());
    }
    tell(version.tenant(), event.build(), ids.next().toString());
  }

  /** Ends when the broker has the event. */
  public Uni<Void> completed(Tenant tenant, RolloutCompleted rollout) {
    // The chunk's own id, so that a chunk answered twice is one event.
    return send(tenant, rollout, rollout.getRolloutId() + "/completed");
  }

  private void tell(Tenant tenant, Message event, String id) {
    String type = event.getDescriptorForType().getName();
    try {
      send(tenant, event, id).subscribe().with(done -> {}, failure -> lost(type, failure));
    } catch (RuntimeException full) {
      lost(type, full);
    }
  }

  private Uni<Void> send(Tenant tenant, Message event, String id) {
    return events.send(EventRecords.encode(tenant, event, id, "serving", clock.instant()));
  }

  private void lost(String type, Throwable failure) {
    metrics.counter("attune.serving.events.lost", "type", type).increment();
    LOG.errorf("Event not published type=%s reason=%s", type, failure.toString());
  }

  /** The answer as the contract has it. */
  public static Generation generation(Answer answer) {
    var generation =
        Generation.newBuilder()
            .setGenerationId(answer.head().generationId())
            .setConversationId(answer.head().conversationId())
            .setAdapter(answer.head().adapter().toProto())
            .setPrompt(prompt(answer.prompt()))
            .setCompletion(answer.completion())
            .setFinishReason(finishReason(answer.finish()));
    for (int id : answer.promptIds()) {
      generation.addPromptTokenIds(id);
    }
    answer
        .tokens()
        .forEach(
            token ->
                generation
                    .addCompletionTokenIds(token.id())
                    .addLogProbabilities(token.logProbability()));
    return generation.build();
  }

  private static io.attune.common.v1.Prompt prompt(Prompt prompt) {
    if (prompt instanceof Prompt.Text text) {
      return io.attune.common.v1.Prompt.newBuilder().setText(text.text()).build();
    }
    var conversation = Conversation.newBuilder();
    for (Prompt.Turn turn : ((Prompt.Chat) prompt).turns()) {
      conversation.addMessages(
          ChatMessage.newBuilder().setRole(turn.role()).setContent(turn.content()));
    }
    return io.attune.common.v1.Prompt.newBuilder().setConversation(conversation).build();
  }

  private static FinishReason finishReason(Finish finish) {
    return switch (finish) {
      case STOP -> FinishReason.FINISH_REASON_STOP;
      case LENGTH -> FinishReason.FINISH_REASON_LENGTH;
    };
  }

  private static Timestamp timestamp(Instant time) {
    return Timestamps.fromMillis(time.toEpochMilli());
  }
}
