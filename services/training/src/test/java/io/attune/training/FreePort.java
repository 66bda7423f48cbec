package io.attune.training;

import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.Map;

/**
 * Puts the service under test on a port that it knows itself, so that its client of ingestion finds
 * {@link Ingestion}, which is part of the application under test.
 */
public final class FreePort implements QuarkusTestResourceLifecycleManager {
  @Override
  public int order() {
    return 1;
  }

  @Override
  public Map<String, String> start() {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      String port = Integer.toString(socket.getLocalPort());
      return Map.of(
          "quarkus.http.test-port", port, "attune.ingestion.url", "http://127.0.0.1:" + port);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void stop() {}
}
