package io.attune.platform.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attune.feedback.v1.CutSnapshotRequest;
import io.attune.feedback.v1.CutSnapshotResponse;
import io.attune.feedback.v1.FeedbackServiceGrpc;
import io.attune.feedback.v1.FeedbackServiceGrpc.FeedbackServiceBlockingStub;
import io.attune.feedback.v1.GetStatisticsRequest;
import io.attune.feedback.v1.GetStatisticsResponse;
import io.attune.feedback.v1.SubmitRatingsRequest;
import io.attune.feedback.v1.SubmitRatingsResponse;
import io.grpc.BindableService;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.ServerInterceptors;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import io.quarkus.security.AuthenticationFailedException;
import io.quarkus.security.identity.CurrentIdentityAssociation;
import io.quarkus.security.identity.SecurityIdentity;
import io.quarkus.security.runtime.QuarkusPrincipal;
import io.quarkus.security.runtime.QuarkusSecurityIdentity;
import io.smallrye.mutiny.Uni;
import jakarta.annotation.security.PermitAll;
import jakarta.annotation.security.RolesAllowed;
import jakarta.enterprise.inject.Instance;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class GrpcDoorTest {

  private final AtomicInteger ran = new AtomicInteger();
  private Uni<SecurityIdentity> identity = caller(Roles.ALL);
  private Server server;
  private ManagedChannel channel;
  private FeedbackServiceBlockingStub service;

  @BeforeEach
  void open() throws IOException {
    BindableService half = new HalfGuarded(ran);
    GrpcRoles roles = new GrpcRoles(holding(List.of(half)), holding(List.of()));
    server =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .addService(ServerInterceptors.intercept(half, new GrpcDoor(new Deferred(), roles)))
            .build()
            .start();
    channel = NettyChannelBuilder.forAddress("127.0.0.1", server.getPort()).usePlaintext().build();
    service = FeedbackServiceGrpc.newBlockingStub(channel);
  }

  @AfterEach
  void close() {
    channel.shutdownNow();
    server.shutdownNow();
  }

  @Test
  void aMethodThatNamesNoRoleIsRefusedWhoeverCalls() {
    refused(
        Status.Code.PERMISSION_DENIED,
        () -> service.cutSnapshot(CutSnapshotRequest.getDefaultInstance()));
  }

  @Test
  void aMethodThatPermitsAllNamesNoRole() {
    refused(
        Status.Code.PERMISSION_DENIED,
        () -> service.submitRatings(SubmitRatingsRequest.getDefaultInstance()));
  }

  @Test
  void aRoleThatTheMethodNamesOpensIt() {
    identity = caller(Set.of(Roles.VIEWER));

    assertThatCode(() -> service.getStatistics(GetStatisticsRequest.getDefaultInstance()))
        .doesNotThrowAnyException();
    assertThat(ran).hasValue(1);
  }

  @Test
  void everyOtherRoleIsRefused() {
    identity = caller(Set.of(Roles.RATER, Roles.DATA_ENGINEER, Roles.TRAINER, Roles.OPERATOR));

    refusedStatistics(Status.Code.PERMISSION_DENIED);
  }

  @Test
  void whoeverHasNoTokenIsRefused() {
    identity = Uni.createFrom().item(QuarkusSecurityIdentity.builder().setAnonymous(true).build());

    refusedStatistics(Status.Code.UNAUTHENTICATED);
  }

  @Test
  void aTokenThatCannotBeCheckedIsRefused() {
    identity = Uni.createFrom().failure(new AuthenticationFailedException("expired"));
    refusedStatistics(Status.Code.UNAUTHENTICATED);

    identity = Uni.createFrom().failure(new IllegalStateException("the issuer cannot be reached"));
    refusedStatistics(Status.Code.UNAUTHENTICATED);
  }

  private void refusedStatistics(Status.Code expected) {
    refused(expected, () -> service.getStatistics(GetStatisticsRequest.getDefaultInstance()));
  }

  private void refused(Status.Code expected, ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            thrown -> assertThat(thrown.getStatus().getCode()).isEqualTo(expected));
    assertThat(ran).as("calls that got through").hasValue(0);
  }

  private static Uni<SecurityIdentity> caller(Set<String> roles) {
    return Uni.createFrom()
        .item(
            QuarkusSecurityIdentity.builder()
                .setPrincipal(new QuarkusPrincipal("ann"))
                .addRoles(roles)
                .build());
  }

  /** What injection gives for all beans of a type. */
  @SuppressWarnings("unchecked")
  private static <T> Instance<T> holding(List<T> beans) {
    return (Instance<T>)
        Proxy.newProxyInstance(
            GrpcDoorTest.class.getClassLoader(),
            new Class<?>[] {Instance.class},
            (proxy, method, arguments) -> method.invoke(beans, arguments));
  }

  private final class Deferred implements CurrentIdentityAssociation {
    @Override
    public Uni<SecurityIdentity> getDeferredIdentity() {
      return identity;
    }

    @Override
    public SecurityIdentity getIdentity() {
      throw new IllegalStateException("would block");
    }

    @Override
    public void setIdentity(SecurityIdentity ignored) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void setIdentity(Uni<SecurityIdentity> ignored) {
      throw new UnsupportedOperationException();
    }
  }

  /** One method names its role, and two were forgotten. */
  private static final class HalfGuarded extends FeedbackServiceGrpc.FeedbackServiceImplBase {
    private final AtomicInteger ran;

    private HalfGuarded(AtomicInteger ran) {
      this.ran = ran;
    }

    @Override
    @RolesAllowed(Roles.VIEWER)
    public void getStatistics(
        GetStatisticsRequest request, StreamObserver<GetStatisticsResponse> observer) {
      ran.incrementAndGet();
      observer.onNext(GetStatisticsResponse.getDefaultInstance());
      observer.onCompleted();
    }

    @Override
    public void cutSnapshot(
        CutSnapshotRequest request, StreamObserver<CutSnapshotResponse> observer) {
      ran.incrementAndGet();
      observer.onNext(CutSnapshotResponse.getDefaultInstance());
      observer.onCompleted();
    }

    @Override
    @PermitAll
    public void submitRatings(
        SubmitRatingsRequest request, StreamObserver<SubmitRatingsResponse> observer) {
      ran.incrementAndGet();
      observer.onNext(SubmitRatingsResponse.getDefaultInstance());
      observer.onCompleted();
    }
  }
}
