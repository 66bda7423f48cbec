package io.attune.platform.lifecycle;

import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/** Starts the watch in services that a launcher runs as child processes. */
@ApplicationScoped
public class ParentWatchStarter {

  /** Whether standard input is a pipe from the parent; only the launcher sets this. */
  @ConfigProperty(name = "attune.parent-watch", defaultValue = "false")
  boolean enabled;

  void onStart(@Observes StartupEvent started) {
    if (enabled) {
      ParentWatch.start(System.in, Quarkus::asyncExit);
    }
  }
}
