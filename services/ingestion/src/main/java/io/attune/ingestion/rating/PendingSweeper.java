package io.attune.ingestion.rating;

import io.attune.ingestion.IngestionConfig;
import io.attune.platform.database.TenantTransactions;
import io.attune.platform.error.Loggable;
import io.attune.platform.event.Outbox;
import io.attune.platform.identity.Tenant;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;

/** Looks for ratings that have waited too long, again and again. */
@ApplicationScoped
public class PendingSweeper {

  private static final Logger LOG = Logger.getLogger(PendingSweeper.class);

  private final TenantTransactions transactions;
  private final PendingRatings pending;
  private final Outbox outbox;
  private final IngestionConfig config;
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(run -> new Thread(run, "pending-sweeper"));

  PendingSweeper(
      TenantTransactions transactions,
      PendingRatings pending,
      Outbox outbox,
      IngestionConfig config) {
    this.transactions = transactions;
    this.pending = pending;
    this.outbox = outbox;
    this.config = config;
  }

  void onStart(@Observes StartupEvent started) {
    long millis = config.pendingSweepInterval().toMillis();
    var unused = timer.scheduleWithFixedDelay(this::sweep, millis, millis, TimeUnit.MILLISECONDS);
  }

  void onStop(@Observes ShutdownEvent stopped) {
    timer.shutdown();
  }

  private void refuseOverdue(Tenant tenant) {
    int refused = transactions.inTenant(tenant, pending::refuseOverdue);
    outbox.wake();
    LOG.infof(
        "Refused ratings whose generations did not arrive tenant=%s count=%d", tenant, refused);
  }

  private void sweep() {
    try {
      transactions
          .acrossTenants("overdue ratings", pending::tenantsWithOverdue)
          .forEach(this::refuseOverdue);
    } catch (RuntimeException failed) {
      LOG.warn(
          "Overdue ratings could not be swept; trying again at the next interval",
          Loggable.of(failed));
    }
  }
}
