package io.attune.reward;

import com.google.protobuf.util.Timestamps;
import io.attune.platform.error.Failures;
import io.attune.platform.error.PlatformException;
import io.attune.platform.event.EventRecords;
import io.attune.platform.event.RecordSpans;
import io.attune.platform.identity.Tenant;
import io.attune.platform.line.LineVersion;
import io.attune.platform.line.Release;
import io.attune.platform.telemetry.Spans;
import io.attune.serving.v1.Generation;
import io.attune.training.v1.Adapter;
import io.attune.training.v1.RolloutCompleted;
import io.attune.training.v1.RolloutScored;
import io.micrometer.core.instrument.MeterRegistry;
import io.opentelemetry.api.trace.Span;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.infrastructure.Infrastructure;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.eclipse.microprofile.reactive.messaging.Incoming;
import org.eclipse.microprofile.reactive.messaging.Message;
import org.jboss.logging.Logger;

/**
 * Scores completed rollouts. Scores and the offsets that they were made from are one Kafka
 * transaction, so that each rollout is scored once however often it is delivered.
 */
@ApplicationScoped
public class RolloutConsumer {

  private static final Logger LOG = Logger.getLogger(RolloutConsumer.class);
  private static final String GROUP = "attune-reward";

  private final Scoring scoring;
  private final RolloutPublisher publisher;
  private final MeterRegistry metrics;
  private final Clock clock;

  public RolloutConsumer(
      Scoring scoring, RolloutPublisher publisher, MeterRegistry metrics, Clock clock) {
    this.scoring = scoring;
    this.publisher = publisher;
    this.metrics = metrics;
    this.clock = clock;
  }

  @Incoming("rollouts-completed")
  Uni<Void> consume(Message<ConsumerRecords<String, byte[]>> batch) {
    return Uni.createFrom()
        .item(() -> score(batch.getPayload()))
        // The model takes time that no event loop has.
        .runSubscriptionOn(Infrastructure.getDefaultWorkerPool())
        .chain(scored -> publisher.publish(batch, scored));
  }

  private List<RolloutPublisher.Scored> score(ConsumerRecords<String, byte[]> rollouts) {
    List<RolloutPublisher.Scored> scored = new ArrayList<>();
    for (ConsumerRecord<String, byte[]> kafka : rollouts) {
      try {
        Tenant tenant = EventRecords.tenant(kafka);
        RolloutCompleted rollout = EventRecords.decode(kafka, RolloutCompleted.class);
        Span span =
            RecordSpans.process(kafka, GROUP)
                .setAttribute("attune.job.id", rollout.getJobId())
                .setAttribute("attune.rollout.id", rollout.getRolloutId());
        scored.add(
            new RolloutPublisher.Scored(
                tenant,
                Spans.call(span, () -> score(tenant, rollout)),
                RecordSpans.context(kafka)));
      } catch (PlatformException malformed) {
        metrics.counter("attune.reward.rollouts", "outcome", "MALFORMED").increment();
        LOG.errorf("Rollout left out reason=%s", malformed.getMessage());
      }
    }
    return scored;
  }

  private RolloutScored score(Tenant tenant, RolloutCompleted rollout) {
    var event =
        RolloutScored.newBuilder()
            .setRolloutId(rollout.getRolloutId())
            .setJobId(rollout.getJobId())
            .setPurpose(rollout.getPurpose())
            .addAllGenerations(rollout.getGenerationsList())
            .setScoredTime(Timestamps.fromMillis(clock.millis()));
    if (rollout.hasTokens()) {
      event.setTokens(rollout.getTokens());
    }
    if (rollout.hasFailure()) {
      metrics.counter("attune.reward.rollouts", "outcome", "PASSED_ON").increment();
      return event.setFailure(rollout.getFailure()).build();
    }
    try {
      List<PromptAnswer> answers = answers(rollout);
      Scoring.Scored scored =
          rollout.hasRewardModel()
              ? scoring.score(release(tenant, rollout.getRewardModel()), answers)
              : scoring.score(tenant, rollout.getRewardLine(), answers);
      for (float score : scored.scores()) {
        event.addScores(score);
      }
      if (rollout.hasHeldOutRewardModel()) {
        Scoring.Scored heldOut =
            scoring.score(release(tenant, rollout.getHeldOutRewardModel()), answers);
        for (float score : heldOut.scores()) {
          event.addHeldOutScores(score);
        }
        event.setHeldOutRewardModel(heldOut.rewardModel().toProto());
      }
      metrics.counter("attune.reward.rollouts", "outcome", "OK").increment();
      return event.setRewardModel(scored.rewardModel().toProto()).build();
    } catch (RuntimeException thrown) {
      PlatformException failure = Failures.toCaller(thrown);
      Spans.fail(Span.current(), thrown);
      metrics.counter("attune.reward.rollouts", "outcome", "FAILED").increment();
      LOG.errorf(
          "Rollout not scored tenant=%s rolloutId=%s jobId=%s reason=%s",
          tenant, rollout.getRolloutId(), rollout.getJobId(), failure.getMessage());
      return event
          .clearScores()
          .clearHeldOutScores()
          .clearHeldOutRewardModel()
          .setFailure(failure.toFailure())
          .build();
    }
  }

  private static Release release(Tenant tenant, Adapter rewardModel) {
    return new Release(
        LineVersion.of(tenant, rewardModel.getVersion()),
        rewardModel.getArtifact(),
        rewardModel.getContractSha256());
  }

  private static List<PromptAnswer> answers(RolloutCompleted rollout) {
    List<PromptAnswer> answers = new ArrayList<>();
    for (Generation generation : rollout.getGenerationsList()) {
      answers.add(
          new PromptAnswer(RewardGrpc.prompt(generation.getPrompt()), generation.getCompletion()));
    }
    return answers;
  }
}
