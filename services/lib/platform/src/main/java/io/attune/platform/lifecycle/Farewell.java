package io.attune.platform.lifecycle;

import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import io.quarkus.vertx.http.runtime.filters.Filters;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.WeakHashMap;
import java.util.function.Predicate;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * Sends callers elsewhere when the process is asked to end (SIGTERM) and still answers, for {@code
 * quarkus.shutdown.delay}. Who keeps a connection, as gRPC does, stays on it although no proxy
 * names this address any more, and would be refused when the delay is over.
 *
 * <p>gRPC's clients know that GOAWAY leaves alone what runs. Other clients of HTTP/2 do not all,
 * such as that of Java 17, and are not sent any.
 *
 * <p>A connection is told when none of its calls runs, and only late in the delay if there is
 * always one: when a call crosses GOAWAY, Vert.x ends the connection with all that runs on it. The
 * call itself is refused in a way after which gRPC's clients send it again by themselves.
 */
@ApplicationScoped
public class Farewell {
  /** Before every route, and every other filter. */
  private static final int FIRST = 1000;

  private static final long NO_ERROR = 0;

  /** For how long nothing runs on a connection before its caller, which has read all, is told. */
  private static final long IDLE_MILLIS = 100;

  /** How many calls run on each of gRPC's connections; a closed one goes with its last holder. */
  private final Map<HttpConnection, Integer> calls = new WeakHashMap<>();

  /** Runs beside Quarkus's own, which waits for the delay. */
  private final Thread hook = new Thread(this::leaveWithinDelay, "farewell");

  /** For how long the service still answers. */
  @ConfigProperty(name = "quarkus.shutdown.delay")
  Optional<Duration> delay;

  private volatile boolean leaving;

  void listen(@Observes Filters filters) {
    filters.register(this::see, FIRST);
  }

  void onStart(@Observes StartupEvent started) {
    Runtime.getRuntime().addShutdownHook(hook);
  }

  void onStop(@Observes ShutdownEvent stopped) {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException running) {
      // It is this process's end that stops the service.
    }
  }

  private void leaveWithinDelay() {
    leave();
    try {
      Thread.sleep(delay.orElse(Duration.ZERO).dividedBy(2).toMillis());
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
    connections(running -> running > 0).forEach(Farewell::goAway);
  }

  /** Tells the callers of connections on which nothing runs, now or later. */
  void leave() {
    leaving = true;
    connections(running -> running == 0).forEach(Farewell::goAway);
  }

  private List<HttpConnection> connections(Predicate<Integer> wanted) {
    synchronized (calls) {
      return calls.entrySet().stream()
          .filter(one -> wanted.test(one.getValue()))
          .map(Map.Entry::getKey)
          .toList();
    }
  }

  private void see(RoutingContext context) {
    HttpServerRequest request = context.request();
    if (request.version() != HttpVersion.HTTP_2) {
      if (leaving) {
        context.response().putHeader(HttpHeaders.CONNECTION, HttpHeaders.CLOSE);
      }
    } else if (grpc(request)) {
      HttpConnection connection = request.connection();
      count(connection, 1);
      context.addEndHandler(
          ended -> {
            count(connection, -1);
            if (leaving) {
              context.vertx().setTimer(IDLE_MILLIS, passed -> goAwayIfIdle(connection));
            }
          });
    }
    context.next();
  }

  private static boolean grpc(HttpServerRequest request) {
    String type = request.getHeader(HttpHeaders.CONTENT_TYPE);
    return type != null && type.startsWith("application/grpc");
  }

  private void count(HttpConnection connection, int change) {
    synchronized (calls) {
      calls.merge(connection, change, Integer::sum);
    }
  }

  private void goAwayIfIdle(HttpConnection connection) {
    boolean idle;
    synchronized (calls) {
      idle = calls.getOrDefault(connection, 0) == 0;
    }
    if (idle) {
      goAway(connection);
    }
  }

  /**
   * New streams are opened elsewhere. The connection itself stays until the process ends: a call
   * that is being written to one that is closed fails, and nothing tells whether it was read.
   */
  private static void goAway(HttpConnection connection) {
    connection.goAway(NO_ERROR);
  }
}
