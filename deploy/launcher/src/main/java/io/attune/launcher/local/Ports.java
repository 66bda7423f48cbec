package io.attune.launcher.local;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.HashSet;
import java.util.Set;

/** Finds free loopback ports, each given out once. */
final class Ports {
  private final Set<Integer> given = new HashSet<>();

  /** The wanted port, or the next free one after it. */
  int take(int wanted) {
    for (int port = wanted; port < Math.min(wanted + 500, 65536); port++) {
      if (!given.contains(port) && free(port)) {
        given.add(port);
        return port;
      }
    }
    throw new LauncherException(
        "no free port from " + wanted + " on: end what listens there, then start again");
  }

  private static boolean free(int port) {
    try (ServerSocket socket = new ServerSocket()) {
      socket.setReuseAddress(true);
      socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
      return true;
    } catch (IOException e) {
      return false;
    }
  }
}
