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
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.WeakHashMap;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * Sends callers elsewhere when the process is asked to end (SIGTERM) and still answers, for {@code
 * quarkus.shutdown.delay}. Who keeps a connection, as gRPC does, stays on it although no proxy
 * names this address any more, and would be refused when the delay is over.
 *
 * <p>gRPC's clients know that GOAWAY leaves alone what runs. Other clients of HTTP/2 do not all,
 * such as that of Java 17, and are not sent any.
 */
@ApplicationScoped
public class Farewell {
  /** Before every route, and every other filter. */
  private static final int FIRST = 1000;

  /** gRPC's; a closed one goes with the last who holds it. */
  private final Set<HttpConnection> connections =
      Collections.synchronizedSet(Collections.newSetFromMap(new WeakHashMap<>()));

  /** Runs beside Quarkus's own, which waits for the delay. */
  private final Thread hook = new Thread(this::leave, "farewell");

  /** How long running requests may take to end. */
  @ConfigProperty(name = "quarkus.shutdown.timeout")
  Optional<Duration> requests;

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

  void leave() {
    leaving = true;
    List<HttpConnection> open;
    synchronized (connections) {
      open = List.copyOf(connections);
    }
    open.forEach(this::goAway);
  }

  private void see(RoutingContext context) {
    HttpServerRequest request = context.request();
    if (request.version() != HttpVersion.HTTP_2) {
      if (leaving) {
        context.response().putHeader(HttpHeaders.CONNECTION, HttpHeaders.CLOSE);
      }
    } else if (grpc(request)) {
      connections.add(request.connection());
      if (leaving) {
        goAway(request.connection());
      }
    }
    context.next();
  }

  private static boolean grpc(HttpServerRequest request) {
    String type = request.getHeader(HttpHeaders.CONTENT_TYPE);
    return type != null && type.startsWith("application/grpc");
  }

  /** Streams that are open end; new ones are opened elsewhere. */
  private void goAway(HttpConnection connection) {
    connection.shutdown(Math.max(1, requests.orElse(Duration.ZERO).toMillis()));
  }
}
