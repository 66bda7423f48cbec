package io.attune.ingestion.rating;

import io.attune.feedback.v1.RatingOutcome;
import io.attune.ingestion.IngestionConfig;
import io.attune.platform.event.InboxConsumers;
import io.attune.platform.event.InboxConsumers.Effects;
import io.attune.platform.event.InboxConsumers.Subscription;
import io.attune.platform.event.Outbox;
import io.attune.platform.event.Topics;
import io.attune.platform.identity.Tenant;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.time.Clock;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jdbi.v3.core.Handle;

/** Ratings from the topics that applications write to, one for each tenant. */
@ApplicationScoped
public class RatingsConsumer {

  static final String GROUP = "ingestion.ratings";

  private final InboxConsumers consumers;
  private final RatingIntake intake;
  private final RatingReader reader;
  private final RatingMetrics metrics;
  private final Outbox outbox;
  private final RatingQuota quota;
  private final IngestionConfig config;

  RatingsConsumer(
      InboxConsumers consumers,
      RatingIntake intake,
      RatingMetrics metrics,
      Outbox outbox,
      RatingQuota quota,
      IngestionConfig config,
      Clock clock) {
    this.consumers = consumers;
    this.intake = intake;
    this.reader = new RatingReader(clock);
    this.metrics = metrics;
    this.outbox = outbox;
    this.quota = quota;
    this.config = config;
  }

  void onStart(@Observes StartupEvent started) {
    consumers.start(
        new Subscription(
            GROUP,
            Topics.allRatings(),
            config.ratingConsumers(),
            config.ratingBatch(),
            quota::untilFree),
        this::read);
  }

  private Effects read(Tenant tenant, List<ConsumerRecord<String, byte[]>> batch) {
    List<Arrival> arrivals = batch.stream().map(reader::read).toList();
    return new Effects() {
      private List<RatingOutcome> outcomes;

      @Override
      public void write(Handle transaction) {
        outcomes = intake.write(transaction, arrivals, batch.get(0).partition());
      }

      @Override
      public void committed() {
        outbox.wake();
        quota.taken(tenant, arrivals.size());
        metrics.committed(arrivals, outcomes);
      }
    };
  }
}
