package io.attune.launcher.local;

import static io.attune.platform.event.Topics.all;

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

/** Makes the topics that the contract names. */
final class Topics {
  /** Few: one machine has few replicas of each service. */
  private static final int PARTITIONS = 2;

  private Topics() {}

  /**
   * Waits for the broker, then makes the topics that are missing.
   *
   * @param replicas of the service that has most; those of one service share partitions
   */
  static void create(String bootstrap, int replicas, ChildProcess broker, int limitSeconds) {
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
          all().stream()
              .filter(topic -> !existing.contains(topic.name()))
              .map(topic -> newTopic(topic, Math.max(PARTITIONS, replicas)))
              .toList();
      admin.createTopics(missing).all().get(limitSeconds, TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      throw new LauncherException(
          "Kafka does not answer on " + bootstrap + ", see " + broker.log(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LauncherException("interrupted while Kafka started", e);
    }
  }

  private static NewTopic newTopic(io.attune.platform.event.Topics.Topic topic, int partitions) {
    NewTopic created = new NewTopic(topic.name(), partitions, (short) 1);
    return topic.compacted() ? created.configs(Map.of("cleanup.policy", "compact")) : created;
  }
}
