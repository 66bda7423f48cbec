package io.attune.training.release;

import io.attune.platform.identity.Tenant;
import io.attune.training.Messages;
import io.attune.training.v1.GateDecision;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.statement.PreparedBatch;
import org.jdbi.v3.core.statement.StatementContext;

/** Live ratings and watched releases. Every method runs in its caller's transaction. */
@ApplicationScoped
public class LiveRatingStore {

  /** What is known of a release. */
  enum State {
    /** Its ratings are compared as they come. */
    WATCHING,
    /** Somebody made another version active. */
    LEFT,
    /** It was watched for long enough. */
    ESTABLISHED,
    ROLLED_BACK
  }

  /**
   * A release that is watched.
   *
   * @param ratings of the version since its release
   * @param looks comparisons made
   */
  record Watch(
      Tenant tenant,
      String line,
      long version,
      long previous,
      Instant releaseTime,
      long ratings,
      int looks) {}

  /** What raters said of a version. */
  @SuppressWarnings("ArrayRecordComponent") // handed over, never kept
  record Opinions(long ratings, double[] byRater) {}

  /** Adds ratings of policy lines, each once, and counts those of watched releases. */
  void add(Handle handle, Collection<LiveRating> ratings, Instant now) {
    List<LiveRating> all = List.copyOf(ratings);
    int[] added = insert(handle, all, now);
    // In an order of its own, so that two transactions never wait for each other.
    Map<String, Map<Long, Integer>> counts = new TreeMap<>();
    for (int i = 0; i < added.length; i++) {
      counts
          .computeIfAbsent(all.get(i).line(), line -> new TreeMap<>())
          .merge(all.get(i).version(), added[i], Integer::sum);
    }
    counts.forEach(
        (line, versions) ->
            versions.forEach(
                (version, count) ->
                    handle
                        .createUpdate(
                            """
                            update release_watch set ratings = ratings + :count
                            where line = :line and version = :version and state = 'WATCHING'
                            """)
                        .bind("count", count)
                        .bind("line", line)
                        .bind("version", version)
                        .execute()));
  }

  /** How many rows each rating became: 0 or 1. */
  private static int[] insert(Handle handle, List<LiveRating> ratings, Instant now) {
    try (PreparedBatch batch =
        handle.prepareBatch(
            """
            insert into live_rating (line, version, rating_id, voice, value, accepted_time)
            select :line, :version, :rating, :voice, :value, :now
            where exists
              (select 1 from adapter_line where line = :line and kind = 'LINE_KIND_POLICY')
            on conflict do nothing
            """)) {
      for (LiveRating rating : ratings) {
        batch
            .bind("line", rating.line())
            .bind("version", rating.version())
            .bind("rating", rating.ratingId())
            .bind("voice", rating.voice())
            .bind("value", rating.value())
            .bind("now", now.atOffset(ZoneOffset.UTC))
            .add();
      }
      return batch.execute();
    }
  }

  /** Begins to watch a release; the line's last one is watched no more. */
  void watch(Handle handle, Watch watch, long nextLook) {
    handle
        .createUpdate(
            "update release_watch set state = 'LEFT' where line = :line and state = 'WATCHING'")
        .bind("line", watch.line())
        .execute();
    handle
        .createUpdate(
            """
            insert into release_watch
              (line, version, previous_version, release_time, state, next_look)
            values (:line, :version, :previous, :time, 'WATCHING', :next)
            """)
        .bind("line", watch.line())
        .bind("version", watch.version())
        .bind("previous", watch.previous())
        .bind("time", watch.releaseTime().atOffset(ZoneOffset.UTC))
        .bind("next", nextLook)
        .execute();
  }

  /** Releases that have the ratings for their next comparison, or are from before a time. */
  List<Watch> due(Handle handle, Instant released) {
    return handle
        .createQuery(
            """
            select * from release_watch
            where state = 'WATCHING' and (ratings >= next_look or release_time < :released)
            """)
        .bind("released", released.atOffset(ZoneOffset.UTC))
        .map(LiveRatingStore::read)
        .list();
  }

  /** A watched release, locked until the transaction ends; empty when it is watched no more. */
  Optional<Watch> lock(Handle handle, Watch seen) {
    return handle
        .createQuery(
            """
            select * from release_watch
            where line = :line and version = :version and state = 'WATCHING' for update
            """)
        .bind("line", seen.line())
        .bind("version", seen.version())
        .map(LiveRatingStore::read)
        .findOne();
  }

  /** Writes what a comparison said; empty where there was none yet. */
  void looked(Handle handle, Watch watch, Optional<GateDecision> decision, int looks, long next) {
    handle
        .createUpdate(
            """
            update release_watch set looks = :looks, next_look = :next,
              decision = coalesce(cast(:decision as jsonb), decision)
            where line = :line and version = :version
            """)
        .bind("looks", looks)
        .bind("next", next)
        .bind("decision", decision.map(Messages::toJson).orElse(null))
        .bind("line", watch.line())
        .bind("version", watch.version())
        .execute();
  }

  /** Watches a release no more. */
  void end(Handle handle, Watch watch, State state) {
    handle
        .createUpdate(
            "update release_watch set state = :state where line = :line and version = :version")
        .bind("state", state.name())
        .bind("line", watch.line())
        .bind("version", watch.version())
        .execute();
  }

  /** What each rater said of a version on average, in the order of their names. */
  Opinions opinions(Handle handle, String line, long version, Instant since) {
    long[] ratings = {0};
    double[] means =
        handle
            .createQuery(
                """
                select avg(value) as mean, count(*) as ratings from live_rating
                where line = :line and version = :version and accepted_time >= :since
                group by voice order by voice
                """)
            .bind("line", line)
            .bind("version", version)
            .bind("since", since.atOffset(ZoneOffset.UTC))
            .map(
                (row, context) -> {
                  ratings[0] += row.getLong("ratings");
                  return row.getDouble("mean");
                })
            .list()
            .stream()
            .mapToDouble(Double::doubleValue)
            .toArray();
    return new Opinions(ratings[0], means);
  }

  /** Forgets ratings from before a time; returns how many. */
  int forget(Handle handle, Instant before) {
    return handle
        .createUpdate("delete from live_rating where accepted_time < :before")
        .bind("before", before.atOffset(ZoneOffset.UTC))
        .execute();
  }

  private static Watch read(ResultSet row, StatementContext context) throws SQLException {
    return new Watch(
        new Tenant(row.getString("tenant")),
        row.getString("line"),
        row.getLong("version"),
        row.getLong("previous_version"),
        row.getObject("release_time", OffsetDateTime.class).toInstant(),
        row.getLong("ratings"),
        row.getInt("looks"));
  }
}
