package io.attune.ingestion.generation;

import io.attune.platform.error.PlatformException;
import io.attune.platform.event.EventRecords;
import io.attune.platform.event.Events;
import io.attune.platform.event.InboxConsumers;
import io.attune.platform.event.InboxConsumers.Effects;
import io.attune.platform.event.InboxConsumers.Subscription;
import io.attune.platform.event.Outbox;
import io.attune.platform.identity.Tenant;
import io.attune.serving.v1.GenerationCompleted;
import io.micrometer.core.instrument.Metrics;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jboss.logging.Logger;
import org.jdbi.v3.core.Handle;

/** Stores the answers that serving gives, and settles the ratings that waited for them. */
@ApplicationScoped
public class GenerationsConsumer {

  static final String GROUP = "ingestion.generations";
  private static final Logger LOG = Logger.getLogger(GenerationsConsumer.class);
  private static final int BATCH = 500;

  private final InboxConsumers consumers;
  private final GenerationStore generations;
  private final AwaitingGenerations awaiting;
  private final Outbox outbox;

  GenerationsConsumer(
      InboxConsumers consumers,
      GenerationStore generations,
      AwaitingGenerations awaiting,
      Outbox outbox) {
    this.consumers = consumers;
    this.generations = generations;
    this.awaiting = awaiting;
    this.outbox = outbox;
  }

  void onStart(@Observes StartupEvent started) {
    String topic = Events.topic(GenerationCompleted.getDescriptor());
    consumers.start(new Subscription(GROUP, topic, 1, BATCH), this::read);
  }

  private Effects read(Tenant tenant, List<ConsumerRecord<String, byte[]>> batch) {
    List<GenerationCompleted> completed = new ArrayList<>(batch.size());
    for (ConsumerRecord<String, byte[]> kafka : batch) {
      try {
        GenerationCompleted event = EventRecords.decode(kafka, GenerationCompleted.class);
        if (!GenerationStore.canStore(event.getGeneration())) {
          LOG.warnf(
              "Skipped a generation without a usable id partition=%d offset=%d",
              kafka.partition(), kafka.offset());
        } else {
          completed.add(event);
        }
      } catch (PlatformException unreadable) {
        // Only serving writes here; what it did not write is nobody's rating and must not stall
        // others.
        LOG.warnf("Skipped a record: %s", unreadable.getMessage());
        Metrics.counter("attune.events.skipped", "topic", kafka.topic()).increment();
      }
    }
    List<String> ids = completed.stream().map(e -> e.getGeneration().getGenerationId()).toList();
    return new Effects() {
      @Override
      public void write(Handle transaction) {
        if (!completed.isEmpty()) {
          awaiting.lock(transaction);
          generations.add(transaction, completed);
          awaiting.generationsArrived(transaction, ids);
        }
      }

      @Override
      public void committed() {
        outbox.wake();
      }
    };
  }
}
