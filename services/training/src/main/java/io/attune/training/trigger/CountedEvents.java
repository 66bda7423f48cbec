package io.attune.training.trigger;

import jakarta.enterprise.context.ApplicationScoped;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Collection;
import java.util.HashSet;
import java.util.Set;
import java.util.TreeSet;
import org.jdbi.v3.core.Handle;

/**
 * The events that were counted, by their ids. The inbox counts each record once; this counts each
 * event once, which is on the topic twice when its sender died before it noted that it had sent it.
 */
@ApplicationScoped
public class CountedEvents {

  /** Much longer than a topic keeps records, and so than a sender that was suspended may repeat. */
  private static final Duration KEPT = Duration.ofDays(30);

  private static final int FORGOTTEN_AT_ONCE = 4_000;

  /**
   * Notes events as counted.
   *
   * @return those that were not counted before
   */
  Set<String> add(Handle handle, Collection<String> eventIds, Instant now) {
    if (eventIds.isEmpty()) {
      return Set.of();
    }
    forget(handle, now.minus(KEPT));
    // Sorted, so that two writers of the same ids cannot wait for each other in a circle.
    return new HashSet<>(
        handle
            .createQuery(
                """
                insert into counted_event (event_id, counted_time)
                select id, :now from unnest(:ids) id
                on conflict do nothing returning event_id
                """)
            .bindArray("ids", String.class, new TreeSet<>(eventIds).toArray())
            .bind("now", now.atOffset(ZoneOffset.UTC))
            .mapTo(String.class)
            .list());
  }

  private static void forget(Handle handle, Instant before) {
    handle
        .createUpdate(
            """
            delete from counted_event where event_id in (
              select event_id from counted_event where counted_time < :before
              limit :limit for update skip locked)
            """)
        .bind("before", before.atOffset(ZoneOffset.UTC))
        .bind("limit", FORGOTTEN_AT_ONCE)
        .execute();
  }
}
