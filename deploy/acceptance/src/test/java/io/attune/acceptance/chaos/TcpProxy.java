package io.attune.acceptance.chaos;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.IntSupplier;
import java.util.function.Supplier;

/**
 * Passes connections on to a server on this machine, and ends one at the very moment at which the
 * server has acknowledged: what was asked for is done, and who asked for it does not get to know.
 */
final class TcpProxy implements AutoCloseable {
  private final ServerSocket door;
  private final IntSupplier server;
  private final Supplier<Protocol> protocols;
  private final Set<Socket> open = ConcurrentHashMap.newKeySet();

  private TcpProxy(ServerSocket door, IntSupplier server, Supplier<Protocol> protocols) {
    this.door = door;
    this.server = server;
    this.protocols = protocols;
  }

  /**
   * Opens it on any free port.
   *
   * @param server the port to pass on to, asked for each connection
   */
  static TcpProxy open(IntSupplier server, Supplier<Protocol> protocols) {
    try {
      TcpProxy proxy =
          new TcpProxy(
              new ServerSocket(0, 128, InetAddress.getLoopbackAddress()), server, protocols);
      daemon(proxy::accept).start();
      return proxy;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  int port() {
    return door.getLocalPort();
  }

  private void accept() {
    while (!door.isClosed()) {
      try {
        Socket client = door.accept();
        daemon(() -> connect(client)).start();
      } catch (IOException closed) {
        return;
      }
    }
  }

  private void connect(Socket client) {
    open.add(client);
    Socket to;
    try {
      to = new Socket(InetAddress.getLoopbackAddress(), server.getAsInt());
      to.setTcpNoDelay(true);
      client.setTcpNoDelay(true);
    } catch (IOException nobodyListens) {
      close(client);
      return;
    }
    open.add(to);
    Protocol protocol = protocols.get();
    daemon(
            () ->
                pump(
                    client,
                    to,
                    (bytes, n) -> {
                      protocol.sent(bytes, n);
                      return n;
                    }))
        .start();
    pump(to, client, protocol::answered);
  }

  /** How many of some bytes get through. */
  @FunctionalInterface
  private interface Gate {
    int pass(byte[] bytes, int n);
  }

  private void pump(Socket from, Socket to, Gate gate) {
    byte[] bytes = new byte[1 << 16];
    try {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      int n = in.read(bytes);
      while (n >= 0) {
        int passed = gate.pass(bytes, n);
        out.write(bytes, 0, passed);
        if (passed < n) {
          break;
        }
        n = in.read(bytes);
      }
    } catch (IOException ended) {
      // By either side: the other one is to know as well.
    } finally {
      close(from);
      close(to);
    }
  }

  private void close(Socket socket) {
    open.remove(socket);
    try {
      socket.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Thread daemon(Runnable run) {
    Thread thread = new Thread(run, "proxy");
    thread.setDaemon(true);
    return thread;
  }

  @Override
  public void close() throws IOException {
    door.close();
    open.forEach(this::close);
  }
}
