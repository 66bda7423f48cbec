package io.attune.platform.identity;

import io.attune.platform.error.Loggable;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.quarkus.oidc.client.OidcClient;
import io.quarkus.oidc.client.Tokens;
import io.smallrye.mutiny.Uni;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicReference;
import org.jboss.logging.Logger;

/**
 * Puts this service's own token on calls to other services:
 * {@code @RegisterClientInterceptor(ServiceToken.class)} beside {@code @GrpcClient}.
 *
 * <p>Never blocks: a call waits for its token on the side, since calls may begin on an event loop.
 */
@ApplicationScoped
public class ServiceToken implements ClientInterceptor {

  private static final Logger LOG = Logger.getLogger(ServiceToken.class);
  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

  private static final int RETRIES = 3;
  private static final Duration FIRST_BACKOFF = Duration.ofMillis(100);
  private static final Duration LAST_BACKOFF = Duration.ofSeconds(1);

  private final OidcClient client;
  private final AtomicReference<Tokens> current = new AtomicReference<>();
  private final AtomicReference<Uni<Tokens>> renewing = new AtomicReference<>();

  ServiceToken(OidcClient client) {
    this.client = client;
  }

  /**
   * A token that is valid now: the one at hand, or a new one before that expires. While the issuer
   * gives none, the one at hand serves to its end.
   */
  public Uni<String> get() {
    return tokens().map(Tokens::getAccessToken);
  }

  private Uni<Tokens> tokens() {
    Tokens held = current.get();
    if (held == null || held.isAccessTokenExpired()) {
      return renewed();
    }
    if (!held.isAccessTokenWithinRefreshInterval()) {
      return Uni.createFrom().item(held);
    }
    return renewed()
        .onFailure()
        .recoverWithUni(
            failed -> {
              if (held.isAccessTokenExpired()) {
                return Uni.createFrom().failure(failed);
              }
              LOG.warnf(
                  "The issuer renews no token; the one at hand goes on: %s", failed.getClass());
              return Uni.createFrom().item(held);
            });
  }

  /** Asks the issuer, once for all calls that wait. */
  private Uni<Tokens> renewed() {
    return renewing.updateAndGet(
        begun ->
            begun != null
                ? begun
                : Uni.createFrom()
                    .deferred(client::getTokens)
                    .onFailure()
                    .retry()
                    .withBackOff(FIRST_BACKOFF, LAST_BACKOFF)
                    .atMost(RETRIES)
                    .invoke(current::set)
                    .onTermination()
                    .invoke(() -> renewing.set(null))
                    .memoize()
                    .indefinitely());
  }

  @Override
  public <Q, R> ClientCall<Q, R> interceptCall(
      MethodDescriptor<Q, R> method, CallOptions options, Channel next) {
    // A blocking stub waits on its call's executor, and hears of an end there alone.
    Executor executor = options.getExecutor() == null ? Runnable::run : options.getExecutor();
    return new TokenCall<>(next.newCall(method, options), executor);
  }

  /** Keeps what is done to a call until its token is there. */
  private final class TokenCall<Q, R> extends ClientCall<Q, R> {
    private final ClientCall<Q, R> call;
    private final Queue<Runnable> waiting = new ArrayDeque<>();
    private final Executor executor;
    private boolean open;

    TokenCall(ClientCall<Q, R> call, Executor executor) {
      this.call = call;
      this.executor = executor;
    }

    @Override
    public void start(Listener<R> listener, Metadata headers) {
      tokens()
          .subscribe()
          .with(
              token -> {
                headers.put(AUTHORIZATION, "Bearer " + token.getAccessToken());
                open(() -> call.start(new Forgetting<>(listener, token), headers));
              },
              failed -> {
                LOG.warn(
                    "This service gets no token from the issuer, so its calls fail",
                    Loggable.of(failed));
                Status status =
                    Status.UNAVAILABLE
                        .withDescription(
                            "The issuer gives this service no token; see quarkus.oidc-client"
                                + " settings")
                        .withCause(failed);
                executor.execute(() -> listener.onClose(status, new Metadata()));
              });
    }

    private void open(Runnable start) {
      synchronized (waiting) {
        open = true;
        start.run();
        for (Runnable event = waiting.poll(); event != null; event = waiting.poll()) {
          event.run();
        }
      }
    }

    private void whenOpen(Runnable event) {
      synchronized (waiting) {
        if (!open) {
          waiting.add(event);
          return;
        }
      }
      event.run();
    }

    @Override
    public void request(int messages) {
      whenOpen(() -> call.request(messages));
    }

    @Override
    public void cancel(String message, Throwable cause) {
      whenOpen(() -> call.cancel(message, cause));
    }

    @Override
    public void halfClose() {
      whenOpen(call::halfClose);
    }

    @Override
    public void sendMessage(Q message) {
      whenOpen(() -> call.sendMessage(message));
    }
  }

  /** Lets go of a token that was refused, as after a change of the issuer's keys. */
  private final class Forgetting<R> extends SimpleForwardingClientCallListener<R> {
    private final Tokens used;

    Forgetting(ClientCall.Listener<R> listener, Tokens used) {
      super(listener);
      this.used = used;
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      if (status.getCode() == Status.Code.UNAUTHENTICATED) {
        current.compareAndSet(used, null);
      }
      super.onClose(status, trailers);
    }
  }
}
