package io.attune.training.trigger;

import io.attune.feedback.v1.RatingAccepted;
import io.attune.platform.error.PlatformException;
import io.attune.platform.event.EventRecords;
import io.attune.platform.event.Events;
import io.attune.platform.event.InboxConsumers;
import io.attune.training.release.LiveRating;
import io.attune.training.release.LiveRatings;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jboss.logging.Logger;

/** Reads accepted ratings, each of which counts exactly once. */
@ApplicationScoped
public class AcceptedConsumer {
  private static final Logger LOG = Logger.getLogger(AcceptedConsumer.class);
  private static final int MAX_BATCH = 2_000;

  private final InboxConsumers consumers;
  private final RatingTrigger trigger;
  private final LiveRatings liveRatings;

  @Inject
  AcceptedConsumer(InboxConsumers consumers, RatingTrigger trigger, LiveRatings liveRatings) {
    this.consumers = consumers;
    this.trigger = trigger;
    this.liveRatings = liveRatings;
  }

  void onStart(@Observes StartupEvent started) {
    String topic = Events.topic(RatingAccepted.getDescriptor());
    consumers.start(
        new InboxConsumers.Subscription("training-trigger", topic, 1, MAX_BATCH), this::read);
  }

  private InboxConsumers.Effects read(List<ConsumerRecord<String, byte[]>> batch) {
    Map<String, Long> ratings = new HashMap<>();
    List<LiveRating> live = new ArrayList<>();
    for (ConsumerRecord<String, byte[]> one : batch) {
      try {
        RatingAccepted accepted = EventRecords.decode(one, RatingAccepted.class);
        ratings.merge(accepted.getRating().getDataset(), 1L, Long::sum);
        LiveRating.of(accepted).ifPresent(live::add);
      } catch (PlatformException e) {
        LOG.warnf("an accepted rating is not counted: %s", e.getMessage());
      }
    }
    return handle -> {
      trigger.count(handle, ratings);
      liveRatings.count(handle, live);
    };
  }
}
