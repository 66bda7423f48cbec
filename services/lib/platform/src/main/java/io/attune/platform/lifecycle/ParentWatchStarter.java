package io.attune.platform.lifecycle;

import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.time.Duration;
import java.util.Optional;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/** Starts the watch in services that a launcher runs as child processes. */
@ApplicationScoped
public class ParentWatchStarter {

  /** For what comes after the last request: consumers, connections, the model. */
  private static final Duration CLOSING = Duration.ofSeconds(10);

  /** Whether standard input is a pipe from the parent; only the launcher sets this. */
  @ConfigProperty(name = "attune.parent-watch", defaultValue = "false")
  boolean enabled;

  /** How long running requests may take to end. */
  @ConfigProperty(name = "quarkus.shutdown.timeout")
  Optional<Duration> requests;

  void onStart(@Observes StartupEvent started) {
    if (enabled) {
      // Not before the requests have had their time: they end whole when the launcher stops.
      Duration grace = requests.orElse(Duration.ZERO).plus(CLOSING);
      ParentWatch.start(System.in, Quarkus::asyncExit, grace);
    }
  }
}
