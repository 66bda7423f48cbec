package io.attune.launcher.local;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import io.attune.common.v1.EventOptions;
import io.attune.common.v1.EventOptionsOuterClass;
import io.attune.feedback.v1.FeedbackEvents;
import io.attune.serving.v1.ServingEvents;
import io.attune.training.v1.RolloutEvents;
import io.attune.training.v1.TrainingEvents;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.NewTopic;

/** Makes the topics that the contract names: one for each event, and the public input. */
final class Topics {
  /** Where any producer writes ratings. */
  static final String RATINGS = "feedback.ratings.v1";

  private static final int PARTITIONS = 2;
  private static final List<FileDescriptor> FILES =
      List.of(
          FeedbackEvents.getDescriptor(),
          ServingEvents.getDescriptor(),
          TrainingEvents.getDescriptor(),
          RolloutEvents.getDescriptor());

  private Topics() {}

  /** All topics that the contract names. */
  static List<NewTopic> all() {
    List<NewTopic> topics = new ArrayList<>();
    topics.add(new NewTopic(RATINGS, PARTITIONS, (short) 1));
    for (FileDescriptor file : FILES) {
      for (Descriptor message : file.getMessageTypes()) {
        if (message.getOptions().hasExtension(EventOptionsOuterClass.event)) {
          EventOptions event = message.getOptions().getExtension(EventOptionsOuterClass.event);
          NewTopic topic = new NewTopic(event.getTopic(), PARTITIONS, (short) 1);
          topics.add(
              event.getCompacted() ? topic.configs(Map.of("cleanup.policy", "compact")) : topic);
        }
      }
    }
    return topics;
  }

  /** Waits for the broker, then makes the topics that are missing. */
  static void create(String bootstrap, ChildProcess broker, int limitSeconds) {
    Map<String, Object> config =
        Map.of(
            AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG,
            bootstrap,
            AdminClientConfig.RECONNECT_BACKOFF_MAX_MS_CONFIG,
            200,
            AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG,
            limitSeconds * 1000);
    try (Admin admin = Admin.create(config)) {
      var names = admin.listTopics().names().toCompletionStage().toCompletableFuture();
      broker
          .onExit()
          .thenRun(
              () ->
                  names.completeExceptionally(
                      new LauncherException("Kafka ended while it started, see " + broker.log())));
      Set<String> existing = new HashSet<>(names.get(limitSeconds, TimeUnit.SECONDS));
      List<NewTopic> missing =
          all().stream().filter(topic -> !existing.contains(topic.name())).toList();
      admin.createTopics(missing).all().get(limitSeconds, TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      throw new LauncherException(
          "Kafka does not answer on " + bootstrap + ", see " + broker.log(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LauncherException("interrupted while Kafka started", e);
    }
  }
}
