package io.attune.platform.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attune.feedback.v1.FeedbackServiceGrpc;
import io.attune.feedback.v1.FeedbackServiceGrpc.FeedbackServiceBlockingStub;
import io.attune.feedback.v1.GetStatisticsRequest;
import io.attune.feedback.v1.GetStatisticsResponse;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import io.quarkus.oidc.client.OidcClient;
import io.quarkus.oidc.client.Tokens;
import io.smallrye.mutiny.Uni;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

@org.junit.jupiter.api.Timeout(60)
class ServiceTokenTest {

  private static final Duration LONG = Duration.ofMinutes(5);
  private static final Duration SHORT = Duration.ofSeconds(20);
  private static final Duration PAST = Duration.ofSeconds(-20);

  private final Issuer issuer = new Issuer();
  private final ServiceToken token = new ServiceToken(issuer);
  private final List<String> presented = new CopyOnWriteArrayList<>();
  private Status answer = Status.OK;
  private Server server;
  private ManagedChannel channel;
  private FeedbackServiceBlockingStub service;

  @BeforeEach
  void open() throws IOException {
    server =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .addService(new Statistics())
            .intercept(new Presented())
            .build()
            .start();
    channel =
        NettyChannelBuilder.forAddress("127.0.0.1", server.getPort())
            .usePlaintext()
            .intercept(token)
            .build();
    service = FeedbackServiceGrpc.newBlockingStub(channel);
  }

  @AfterEach
  void close() {
    channel.shutdownNow();
    server.shutdownNow();
  }

  @Test
  void oneTokenServesManyCalls() {
    call();
    call();

    assertThat(presented).containsExactly("Bearer token-1", "Bearer token-1");
    assertThat(issuer.asked).hasValue(1);
  }

  @Test
  void aTokenIsRenewedBeforeItExpires() {
    issuer.validity = SHORT;
    call();
    call();

    assertThat(presented).containsExactly("Bearer token-1", "Bearer token-2");
  }

  @Test
  void theTokenAtHandServesToItsEndWhileTheIssuerIsAway() {
    issuer.validity = SHORT;
    call();
    issuer.away = Integer.MAX_VALUE;
    call();

    assertThat(presented).containsExactly("Bearer token-1", "Bearer token-1");
  }

  @Test
  void noTokenServesBeyondItsEnd() {
    issuer.validity = PAST;
    call();
    issuer.away = Integer.MAX_VALUE;

    assertThatThrownBy(this::call).satisfies(thrown -> assertCode(thrown, Status.Code.UNAVAILABLE));
    assertThat(presented).hasSize(1);
  }

  @Test
  void anIssuerThatIsAwayIsAskedAgain() {
    issuer.away = 2;
    call();

    assertThat(presented).containsExactly("Bearer token-3");
  }

  @Test
  void aTokenThatIsRefusedIsNotPresentedAgain() {
    answer = Status.UNAUTHENTICATED;
    assertThatThrownBy(this::call)
        .satisfies(thrown -> assertCode(thrown, Status.Code.UNAUTHENTICATED));
    answer = Status.OK;
    call();

    assertThat(presented).containsExactly("Bearer token-1", "Bearer token-2");
  }

  @Test
  void callsThatWaitTogetherAskOnce() {
    issuer.gate = new CompletableFuture<>();
    CompletableFuture<String> one = token.get().subscribeAsCompletionStage();
    CompletableFuture<String> two = token.get().subscribeAsCompletionStage();
    issuer.gate.complete(null);

    assertThat(one.join()).isEqualTo(two.join());
    assertThat(issuer.asked).hasValue(1);
  }

  private void call() {
    service.getStatistics(GetStatisticsRequest.getDefaultInstance());
  }

  private static void assertCode(Throwable thrown, Status.Code code) {
    assertThat(thrown)
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            refused -> assertThat(refused.getStatus().getCode()).isEqualTo(code));
  }

  /** Gives out token-1, token-2 and so on. */
  private static final class Issuer implements OidcClient {
    private final AtomicInteger asked = new AtomicInteger();
    private Duration validity = LONG;
    private CompletableFuture<Void> gate = CompletableFuture.completedFuture(null);

    /** How many questions find nobody. */
    private int away;

    @Override
    public Uni<Tokens> getTokens(Map<String, String> additional) {
      return Uni.createFrom()
          .completionStage(() -> gate)
          .map(
              open -> {
                int number = asked.incrementAndGet();
                if (number <= away) {
                  throw new IllegalStateException("nobody is there");
                }
                long expiry = Instant.now().plus(validity).getEpochSecond();
                return new Tokens(
                    "token-" + number, expiry, Duration.ofSeconds(30), null, null, null, "test");
              });
    }

    @Override
    public Uni<Tokens> refreshTokens(String token, Map<String, String> additional) {
      throw new UnsupportedOperationException();
    }

    @Override
    public Uni<Boolean> revokeAccessToken(String token, Map<String, String> additional) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void close() {}
  }

  private final class Statistics extends FeedbackServiceGrpc.FeedbackServiceImplBase {
    @Override
    public void getStatistics(
        GetStatisticsRequest request, StreamObserver<GetStatisticsResponse> observer) {
      if (answer.isOk()) {
        observer.onNext(GetStatisticsResponse.getDefaultInstance());
        observer.onCompleted();
      } else {
        observer.onError(answer.asRuntimeException());
      }
    }
  }

  private final class Presented implements ServerInterceptor {
    @Override
    public <Q, R> ServerCall.Listener<Q> interceptCall(
        ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
      presented.add(
          headers.get(Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER)));
      return next.startCall(call, headers);
    }
  }
}
