package io.attune.platform.call;

import io.attune.platform.error.GrpcErrors;
import io.attune.platform.error.PlatformException;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.StatusRuntimeException;
import io.quarkus.grpc.GlobalInterceptor;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.inject.spi.Prioritized;
import java.time.Duration;
import java.util.Optional;

/**
 * Ends a gRPC call whose caller cancels it, goes away, or named a deadline that passes.
 *
 * <p>gRPC over the HTTP server does neither by itself. Vert.x tells the request of a reset stream,
 * and only as long as the request is being read; a unary or server-streaming call has been read
 * whole when it is cancelled. The response learns of it always. The deadline is not looked at.
 */
@ApplicationScoped
@GlobalInterceptor
public class GrpcCancellation implements ServerInterceptor, Prioritized {

  /** Outside of all others, on the thread and context that the HTTP server calls. */
  @Override
  public int getPriority() {
    return Integer.MAX_VALUE;
  }

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    Context context = Vertx.currentContext();
    Optional<Duration> timeout;
    try {
      timeout = GrpcTimeout.of(headers);
    } catch (PlatformException refused) {
      StatusRuntimeException status = GrpcErrors.toStatus(refused);
      // Not before this returns: the transport tells the listener, which it gets from here.
      context.runOnContext(ignored -> call.close(status.getStatus(), status.getTrailers()));
      return new ServerCall.Listener<>() {};
    }
    // Where Quarkus leaves it for interceptors while it starts the call.
    RoutingContext http = context.getLocal(RoutingContext.class.getName());
    var cancellation = new Cancellation();
    cancellation.attachTo(context);
    var watched = new WatchedCall<>(call, cancellation);
    ServerCall.Listener<Q> listener = watched.listening(next.startCall(watched, headers));
    timeout.ifPresent(limit -> expireAfter(limit, context, http, watched));
    http.addEndHandler(ended -> watched.cancel());
    return listener;
  }

  private static void expireAfter(
      Duration limit, Context context, RoutingContext http, WatchedCall<?, ?> call) {
    long timer =
        http.vertx()
            .setTimer(
                Math.max(1, limit.toMillis()),
                due -> context.runOnContext(ignored -> call.expire()));
    http.addEndHandler(ended -> http.vertx().cancelTimer(timer));
  }
}
