package io.attune.acceptance.chaos;

import java.sql.SQLException;

/**
 * Takes from the platform what lets it know a repeat, to show that the audit notices.
 *
 * <p>It does so from outside, with triggers in the test's own database: before a row comes whose
 * key says "seen before", the older row is taken away, so that everything looks new. No code that
 * is delivered knows of it, and no setting leads to it.
 */
final class Deduplication {
  private static final String FORGET =
      """
      create function %1$s.forget() returns trigger language plpgsql as $$
      begin
        delete from %1$s.%2$s where %3$s;
        return new;
      end $$;
      create trigger forget before insert on %1$s.%2$s
        for each row execute function %1$s.forget();
      """;

  private Deduplication() {}

  /** From now on every rating and every event counts as often as it comes. */
  static void switchOff(Tables tables) throws SQLException {
    // A rating that still waits for its generation has not counted: without it one would be lost.
    tables.execute(
        FORGET.formatted(
            "ingestion", "ratings", "rating_id = new.rating_id and state = 'ACCEPTED'"));
    tables.execute(FORGET.formatted("training", "counted_event", "event_id = new.event_id"));
  }
}
