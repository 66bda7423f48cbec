package io.attune.training.release;

import io.attune.common.v1.Artifact;
import io.attune.platform.error.PlatformException;
import io.attune.platform.event.EventRecords;
import io.attune.platform.event.Events;
import io.attune.platform.event.InboxConsumers;
import io.attune.platform.identity.Tenant;
import io.attune.training.rollout.Rounds;
import io.attune.training.rollout.SpentRounds;
import io.attune.training.v1.RolloutScored;
import io.micrometer.core.instrument.Metrics;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jboss.logging.Logger;
import org.jdbi.v3.core.Handle;

/** Reads scored rollouts for the gates and the rounds that wait for them. */
@ApplicationScoped
public class ScoredConsumer {
  private static final Logger LOG = Logger.getLogger(ScoredConsumer.class);
  private static final int MAX_BATCH = 100;

  private final InboxConsumers consumers;
  private final Rollouts rollouts;
  private final Rounds rounds;
  private final SpentRounds spent;

  @Inject
  ScoredConsumer(InboxConsumers consumers, Rollouts rollouts, Rounds rounds, SpentRounds spent) {
    this.consumers = consumers;
    this.rollouts = rollouts;
    this.rounds = rounds;
    this.spent = spent;
  }

  void onStart(@Observes StartupEvent started) {
    String topic = Events.topic(RolloutScored.getDescriptor());
    consumers.start(
        new InboxConsumers.Subscription("training-gate", topic, 1, MAX_BATCH), this::read);
  }

  private InboxConsumers.Effects read(Tenant tenant, List<ConsumerRecord<String, byte[]>> batch) {
    List<RolloutScored> scored = new ArrayList<>();
    for (ConsumerRecord<String, byte[]> one : batch) {
      try {
        scored.add(EventRecords.decode(one, RolloutScored.class));
      } catch (PlatformException e) {
        LOG.warnf("a scored rollout is left out: %s", e.getMessage());
        Metrics.counter("attune.events.skipped", "topic", one.topic()).increment();
      }
    }
    return new Acceptance(tenant, scored);
  }

  private final class Acceptance implements InboxConsumers.Effects {
    private final Tenant tenant;
    private final List<RolloutScored> scored;
    private final List<Artifact> unneeded = new ArrayList<>();

    Acceptance(Tenant tenant, List<RolloutScored> scored) {
      this.tenant = tenant;
      this.scored = scored;
    }

    @Override
    public void write(Handle handle) {
      unneeded.clear();
      for (RolloutScored one : scored) {
        rollouts.accept(handle, one);
        rounds.accept(handle, one).ifPresent(unneeded::add);
      }
    }

    @Override
    public void committed() {
      unneeded.forEach(tokens -> spent.delete(tenant, tokens));
    }
  }
}
