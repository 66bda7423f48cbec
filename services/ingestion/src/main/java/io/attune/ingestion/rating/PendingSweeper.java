package io.attune.ingestion.rating;

import io.attune.ingestion.IngestionConfig;
import io.attune.platform.error.Loggable;
import io.attune.platform.event.Outbox;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;
import org.jdbi.v3.core.Jdbi;

/** Looks for ratings that have waited too long, again and again. */
@ApplicationScoped
public class PendingSweeper {

  private static final Logger LOG = Logger.getLogger(PendingSweeper.class);

  private final Jdbi jdbi;
  private final PendingRatings pending;
  private final Outbox outbox;
  private final IngestionConfig config;
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(run -> new Thread(run, "pending-sweeper"));

  PendingSweeper(Jdbi jdbi, PendingRatings pending, Outbox outbox, IngestionConfig config) {
    this.jdbi = jdbi;
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

  private void sweep() {
    try {
      int refused = jdbi.inTransaction(pending::refuseOverdue);
      if (refused > 0) {
        outbox.wake();
        LOG.infof("Refused ratings whose generations did not arrive count=%d", refused);
      }
    } catch (RuntimeException failed) {
      LOG.warn(
          "Overdue ratings could not be swept; trying again at the next interval",
          Loggable.of(failed));
    }
  }
}
