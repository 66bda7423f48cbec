package io.attune.training.schedule;

import io.attune.platform.database.TenantTransactions;
import io.attune.platform.error.Loggable;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import org.jboss.logging.Logger;
import org.jdbi.v3.core.Handle;

/**
 * Which replica of this service carries jobs out: the one whose database session holds the lock.
 * The lock goes with the session, so a replica that is killed gives it up.
 */
@ApplicationScoped
public class Leadership {
  private static final Logger LOG = Logger.getLogger(Leadership.class);

  private final TenantTransactions transactions;
  private Handle session;

  @Inject
  public Leadership(TenantTransactions transactions) {
    this.transactions = transactions;
  }

  /** Whether this replica leads now; tries to become the leader if nobody does. */
  synchronized boolean held() {
    try {
      if (session != null) {
        session.execute("select 1");
        return true;
      }
      Handle candidate = transactions.openInNone();
      boolean locked =
          candidate
              .createQuery(
                  "select pg_try_advisory_lock(hashtext(current_schema() || '.scheduler'))")
              .mapTo(Boolean.class)
              .one();
      if (locked) {
        session = candidate;
      } else {
        candidate.close();
      }
      return locked;
    } catch (RuntimeException e) {
      LOG.warn("the scheduler's database session is lost", Loggable.of(e));
      release();
      return false;
    }
  }

  /** Gives the lock up. */
  synchronized void release() {
    if (session == null) {
      return;
    }
    try (Handle closing = session) {
      // A pooled connection outlives its use, and would keep the lock.
      closing.execute("select pg_advisory_unlock_all()");
    } catch (RuntimeException e) {
      LOG.debug("the session that held the lock is gone already", Loggable.of(e));
    } finally {
      session = null;
    }
  }
}
