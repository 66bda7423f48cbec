package io.attune.reward;

import io.attune.platform.event.EventRecords;
import io.attune.platform.identity.Tenant;
import io.attune.training.v1.RolloutScored;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import io.smallrye.mutiny.Uni;
import io.smallrye.reactive.messaging.kafka.transactions.KafkaTransactions;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Clock;
import java.util.List;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.eclipse.microprofile.reactive.messaging.Channel;
import org.eclipse.microprofile.reactive.messaging.Message;

/** Publishes scores in the transaction that also commits what they were made from. */
@ApplicationScoped
public class RolloutPublisher {

  /** A rollout's scores, whose rollout it is, and the trace that it is in. */
  record Scored(Tenant tenant, RolloutScored event, Context trace) {}

  private final KafkaTransactions<ProducerRecord<String, byte[]>> transactions;
  private final Clock clock;

  public RolloutPublisher(
      @Channel("rollouts-scored") KafkaTransactions<ProducerRecord<String, byte[]>> transactions,
      Clock clock) {
    this.transactions = transactions;
    this.clock = clock;
  }

  /** Ends when scores and offsets are committed, or both are not. */
  Uni<Void> publish(Message<?> batch, List<Scored> scored) {
    return transactions.withTransactionAndAck(
        batch,
        emitter -> {
          scored.forEach(one -> emitter.send(encode(one)));
          return Uni.createFrom().voidItem();
        });
  }

  private ProducerRecord<String, byte[]> encode(Scored scored) {
    RolloutScored event = scored.event();
    try (Scope current = scored.trace().makeCurrent()) {
      return EventRecords.encode(
          scored.tenant(), event, event.getRolloutId() + "/scored", "reward", clock.instant());
    }
  }
}
