package io.attune.training.release;

import io.attune.platform.error.PlatformException;
import io.attune.platform.event.EventRecords;
import io.attune.platform.event.Events;
import io.attune.platform.event.InboxConsumers;
import io.attune.training.rollout.Rounds;
import io.attune.training.v1.RolloutScored;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jboss.logging.Logger;

/** Reads scored rollouts for the gates and the rounds that wait for them. */
@ApplicationScoped
public class ScoredConsumer {
  private static final Logger LOG = Logger.getLogger(ScoredConsumer.class);
  private static final int MAX_BATCH = 100;

  private final InboxConsumers consumers;
  private final Rollouts rollouts;
  private final Rounds rounds;

  @Inject
  ScoredConsumer(InboxConsumers consumers, Rollouts rollouts, Rounds rounds) {
    this.consumers = consumers;
    this.rollouts = rollouts;
    this.rounds = rounds;
  }

  void onStart(@Observes StartupEvent started) {
    String topic = Events.topic(RolloutScored.getDescriptor());
    consumers.start(
        new InboxConsumers.Subscription("training-gate", topic, 1, MAX_BATCH), this::read);
  }

  private InboxConsumers.Effects read(List<ConsumerRecord<String, byte[]>> batch) {
    List<RolloutScored> scored = new ArrayList<>();
    for (ConsumerRecord<String, byte[]> one : batch) {
      try {
        scored.add(EventRecords.decode(one, RolloutScored.class));
      } catch (PlatformException e) {
        LOG.warnf("a scored rollout is left out: %s", e.getMessage());
      }
    }
    return handle ->
        scored.forEach(
            one -> {
              rollouts.accept(handle, one);
              rounds.accept(handle, one);
            });
  }
}
