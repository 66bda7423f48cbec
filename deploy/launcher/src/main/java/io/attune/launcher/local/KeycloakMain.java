package io.attune.launcher.local;

import io.quarkus.bootstrap.runner.QuarkusEntryPoint;
import java.io.IOException;
import java.io.InputStream;
import java.net.URISyntaxException;
import java.nio.file.Path;

/**
 * Keycloak, in a process of its own that ends when standard input does: that is when the launcher
 * is gone. Runs with this class and Keycloak's own on the class path, and so uses no other class of
 * the platform.
 */
final class KeycloakMain {
  private static final long STOP_MILLIS = 10_000;

  private KeycloakMain() {}

  /** Takes Keycloak's own arguments. */
  public static void main(String[] args) throws Throwable {
    Thread watch = new Thread(() -> stopAtEndOf(System.in), "launcher-watch");
    watch.setDaemon(true);
    watch.start();
    QuarkusEntryPoint.main(args);
  }

  /** The jar or folder that holds this class. */
  static Path location() {
    try {
      return Path.of(
          KeycloakMain.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    } catch (URISyntaxException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  private static void stopAtEndOf(InputStream in) {
    try {
      while (in.read() >= 0) {
        // what the launcher writes is of no interest, only that it still holds the pipe
      }
    } catch (IOException e) {
      // a broken pipe says the same as its end
    }
    Thread halt = new Thread(KeycloakMain::haltAfterLimit, "stop-limit");
    halt.setDaemon(true);
    halt.start();
    System.exit(0);
  }

  private static void haltAfterLimit() {
    try {
      Thread.sleep(STOP_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    Runtime.getRuntime().halt(1);
  }
}
