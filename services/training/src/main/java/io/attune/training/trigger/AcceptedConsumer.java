package io.attune.training.trigger;

import io.attune.feedback.v1.RatingAccepted;
import io.attune.platform.error.PlatformException;
import io.attune.platform.event.EventRecords;
import io.attune.platform.event.Events;
import io.attune.platform.event.InboxConsumers;
import io.attune.platform.event.RecordSpans;
import io.attune.platform.identity.Tenant;
import io.attune.training.release.LiveRating;
import io.attune.training.release.LiveRatings;
import io.micrometer.core.instrument.Metrics;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jboss.logging.Logger;

/** Reads accepted ratings, each of which counts exactly once, however often its event is sent. */
@ApplicationScoped
public class AcceptedConsumer {
  private static final Logger LOG = Logger.getLogger(AcceptedConsumer.class);
  private static final int MAX_BATCH = 2_000;

  private final InboxConsumers consumers;
  private final RatingTrigger trigger;
  private final CountedEvents counted;
  private final LiveRatings liveRatings;
  private final Clock clock;

  /** An accepted rating, and the span that reads it. */
  private record Accepted(String dataset, String traceparent) {}

  @Inject
  AcceptedConsumer(
      InboxConsumers consumers,
      RatingTrigger trigger,
      CountedEvents counted,
      LiveRatings liveRatings,
      Clock clock) {
    this.consumers = consumers;
    this.trigger = trigger;
    this.counted = counted;
    this.liveRatings = liveRatings;
    this.clock = clock;
  }

  void onStart(@Observes StartupEvent started) {
    String topic = Events.topic(RatingAccepted.getDescriptor());
    consumers.start(
        new InboxConsumers.Subscription("training-trigger", topic, 1, MAX_BATCH), this::read);
  }

  private InboxConsumers.Effects read(Tenant tenant, List<ConsumerRecord<String, byte[]>> batch) {
    Map<String, Accepted> ratings = new LinkedHashMap<>();
    List<LiveRating> live = new ArrayList<>();
    for (ConsumerRecord<String, byte[]> one : batch) {
      try {
        RatingAccepted accepted = EventRecords.decode(one, RatingAccepted.class);
        ratings.put(
            EventRecords.id(one),
            new Accepted(accepted.getRating().getDataset(), RecordSpans.traceparent(one)));
        LiveRating.of(accepted).ifPresent(live::add);
      } catch (PlatformException e) {
        LOG.warnf("an accepted rating is not counted: %s", e.getMessage());
        Metrics.counter("attune.events.skipped", "topic", one.topic()).increment();
      }
    }
    return handle -> {
      Map<String, NewRatings> fresh = new HashMap<>();
      Set<String> ids = counted.add(handle, ratings.keySet(), clock.instant());
      ratings.forEach(
          (id, rating) -> {
            if (ids.contains(id)) {
              fresh.merge(
                  rating.dataset(), new NewRatings(1, rating.traceparent()), NewRatings::and);
            }
          });
      trigger.count(handle, fresh);
      liveRatings.count(handle, live);
    };
  }
}
