package io.attune.launcher.local;

import static io.attune.platform.event.Topics.all;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.errors.RetriableException;

/** Makes the topics that the contract names. */
final class Topics {
  /** Few: one machine has few replicas of each service. */
  private static final int PARTITIONS = 2;

  private static final int LIMIT_MILLIS = 5000;

  private Topics() {}

  /**
   * Makes the topics that are missing.
   *
   * @param replicas of the service that has most; those of one service share partitions
   * @return false when the broker does not answer within a few seconds
   * @throws LauncherException when it refuses
   */
  static boolean create(String bootstrap, int replicas) throws InterruptedException {
    Map<String, Object> config =
        Map.of(
            AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG,
            bootstrap,
            AdminClientConfig.RECONNECT_BACKOFF_MAX_MS_CONFIG,
            200,
            AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG,
            LIMIT_MILLIS,
            AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG,
            LIMIT_MILLIS);
    try (Admin admin = Admin.create(config)) {
      Set<String> existing = admin.listTopics().names().get();
      List<NewTopic> missing =
          all().stream()
              .filter(topic -> !existing.contains(topic.name()))
              .map(topic -> newTopic(topic, Math.max(PARTITIONS, replicas)))
              .toList();
      admin.createTopics(missing).all().get();
      return true;
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RetriableException) {
        return false;
      }
      throw new LauncherException("Kafka on " + bootstrap + " makes no topics: " + e, e);
    }
  }

  private static NewTopic newTopic(io.attune.platform.event.Topics.Topic topic, int partitions) {
    NewTopic created = new NewTopic(topic.name(), partitions, (short) 1);
    return topic.compacted() ? created.configs(Map.of("cleanup.policy", "compact")) : created;
  }
}
