package io.attune.reward;

import io.attune.platform.event.EventRecords;
import io.attune.platform.identity.Tenant;
import io.attune.training.v1.RolloutScored;
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

  /** A rollout's scores, and whose rollout it is. */
  record Scored(Tenant tenant, RolloutScored event) {}

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
          for (Scored one : scored) {
            emitter.send(
                EventRecords.encode(
                    one.tenant(),
                    one.event(),
                    one.event().getRolloutId() + "/scored",
                    "reward",
                    clock.instant()));
          }
          return Uni.createFrom().voidItem();
        });
  }
}
