package io.attune.training.schedule;

import io.attune.common.v1.ErrorCode;
import io.attune.feedback.v1.CutSnapshotRequest;
import io.attune.feedback.v1.FeedbackServiceGrpc;
import io.attune.feedback.v1.Snapshot;
import io.attune.platform.error.PlatformException;
import io.attune.platform.identity.OnBehalfOf;
import io.attune.platform.identity.ServiceToken;
import io.attune.platform.identity.Tenant;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.quarkus.opentelemetry.runtime.tracing.intrumentation.grpc.GrpcTracingClientInterceptor;
import jakarta.annotation.PreDestroy;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.net.URI;
import java.util.concurrent.TimeUnit;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/** Has ingestion cut snapshots, with this service's own token. */
@ApplicationScoped
public class Snapshots {
  private static final int DEADLINE_SECONDS = 120;

  private final ManagedChannel channel;
  private final FeedbackServiceGrpc.FeedbackServiceBlockingStub ingestion;

  @Inject
  Snapshots(
      @ConfigProperty(name = "attune.ingestion.url") URI url,
      ServiceToken token,
      GrpcTracingClientInterceptor traces) {
    ManagedChannelBuilder<?> builder =
        ManagedChannelBuilder.forAddress(url.getHost(), url.getPort()).intercept(token, traces);
    channel = ("https".equals(url.getScheme()) ? builder : builder.usePlaintext()).build();
    ingestion = FeedbackServiceGrpc.newBlockingStub(channel);
  }

  /**
   * Cuts a snapshot; without new ratings in between, the same one comes back.
   *
   * @param tenant whose ratings
   * @param requester whose job it is for: ingestion writes it to its log
   * @throws PlatformException UNAVAILABLE when ingestion cannot be reached now
   */
  Snapshot cut(Tenant tenant, String dataset, String requester) {
    try {
      return ingestion
          .withInterceptors(OnBehalfOf.of(tenant, requester))
          .withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS)
          .cutSnapshot(CutSnapshotRequest.newBuilder().setDataset(dataset).build())
          .getSnapshot();
    } catch (StatusRuntimeException e) {
      throw new PlatformException(
          code(e.getStatus()),
          "Ingestion cut no snapshot of data set %s: %s %s"
              .formatted(dataset, e.getStatus().getCode(), e.getStatus().getDescription()),
          e);
    }
  }

  private static ErrorCode code(Status status) {
    return switch (status.getCode()) {
      case NOT_FOUND -> ErrorCode.ERROR_CODE_NOT_FOUND;
      case INVALID_ARGUMENT -> ErrorCode.ERROR_CODE_INVALID_ARGUMENT;
      case PERMISSION_DENIED -> ErrorCode.ERROR_CODE_PERMISSION_DENIED;
      case FAILED_PRECONDITION -> ErrorCode.ERROR_CODE_TOO_LITTLE_DATA;
      default -> ErrorCode.ERROR_CODE_UNAVAILABLE;
    };
  }

  @PreDestroy
  void close() {
    channel.shutdownNow();
  }
}
