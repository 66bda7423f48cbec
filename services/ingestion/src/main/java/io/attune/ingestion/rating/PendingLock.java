package io.attune.ingestion.rating;

import jakarta.enterprise.context.ApplicationScoped;
import org.jdbi.v3.core.Handle;

/**
 * Taken by whoever writes a pending rating or settles one, until the end of the transaction, and
 * always before its first write as its tenant: so no rating misses its generation, and no two
 * writers deadlock.
 */
@ApplicationScoped
public class PendingLock {

  void take(Handle transaction) {
    transaction.execute(
        """
        SELECT pg_advisory_xact_lock(
          hashtext(current_schema() || '.pending_ratings.' || current_setting('attune.tenant')))
        """);
  }
}
