package io.attune.platform.event;

import io.quarkus.arc.properties.IfBuildProperty;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;
import org.jdbi.v3.core.Handle;

/**
 * How far a consumer has come, stored in the same transaction as the effects of what it read: a
 * record's effect is there exactly once, however often the record is delivered.
 */
@ApplicationScoped
@IfBuildProperty(name = "quarkus.datasource.db-kind", stringValue = "postgresql")
public class Inbox {

  private static final String ADVANCE =
      """
      INSERT INTO inbox (consumer, topic, partition, next_offset) VALUES (?, ?, ?, ?)
      ON CONFLICT (consumer, topic, partition) DO UPDATE SET next_offset = excluded.next_offset
      WHERE inbox.next_offset = ?
      """;

  /** Another process has read on from where this one stands: this one's effects must not count. */
  public static final class FencedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    FencedException(String message) {
      super(message);
    }
  }

  /** The next offset of each partition that this consumer has read from before. */
  public Map<TopicPartition, Long> positions(
      Handle handle, String consumer, Collection<TopicPartition> partitions) {
    Map<TopicPartition, Long> positions = new HashMap<>();
    for (TopicPartition partition : partitions) {
      handle
          .createQuery(
              "SELECT next_offset FROM inbox WHERE consumer = ? AND topic = ? AND partition = ?")
          .bind(0, consumer)
          .bind(1, partition.topic())
          .bind(2, partition.partition())
          .mapTo(Long.class)
          .findOne()
          .ifPresent(next -> positions.put(partition, next));
    }
    return positions;
  }

  /**
   * Records that a partition was read up to, not including, {@code next}.
   *
   * @param from where this consumer believed to stand; -1 when it never read the partition
   * @throws FencedException if that is no longer so
   */
  public void advance(
      Handle transaction, String consumer, TopicPartition partition, long from, long next) {
    int changed =
        transaction.execute(
            ADVANCE, consumer, partition.topic(), partition.partition(), next, from);
    if (changed != 1) {
      throw new FencedException(
          "consumer %s of %s no longer stands at %d: another process reads the partition"
              .formatted(consumer, partition, from));
    }
  }
}
