package io.attune.platform.error;

import com.google.protobuf.Any;
import com.google.protobuf.util.Durations;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.attune.common.v1.ErrorCode;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import io.quarkus.grpc.ExceptionHandler;
import io.quarkus.grpc.ExceptionHandlerProvider;
import jakarta.enterprise.context.ApplicationScoped;

/**
 * Every gRPC error carries a {@code google.rpc.ErrorInfo} whose reason is the error code and whose
 * domain is {@value #DOMAIN}, and a {@code google.rpc.RetryInfo} where the same call can succeed
 * later.
 */
@ApplicationScoped
public class GrpcErrors implements ExceptionHandlerProvider {

  static final String DOMAIN = "attune.io";

  /** The gRPC form of an error, with its details. */
  public static StatusRuntimeException toStatus(PlatformException refused) {
    return status(
        ErrorCodes.grpcCode(refused.code()),
        refused.code(),
        refused.getMessage(),
        refused.retrySeconds());
  }

  /** The answer to a call whose deadline has passed: CANCELLED, under gRPC's own name for it. */
  public static StatusRuntimeException deadlineExceeded() {
    return status(
        Status.Code.DEADLINE_EXCEEDED,
        ErrorCode.ERROR_CODE_CANCELLED,
        "The call's deadline passed before the answer was whole.",
        ErrorCodes.RETRY_SECONDS);
  }

  private static StatusRuntimeException status(
      Status.Code code, ErrorCode reason, String message, long retrySeconds) {
    var status =
        com.google.rpc.Status.newBuilder()
            .setCode(code.value())
            .setMessage(message)
            .addDetails(
                Any.pack(
                    ErrorInfo.newBuilder()
                        .setReason(ErrorCodes.reason(reason))
                        .setDomain(DOMAIN)
                        .build()));
    if (ErrorCodes.retryable(reason)) {
      status.addDetails(
          Any.pack(
              RetryInfo.newBuilder().setRetryDelay(Durations.fromSeconds(retrySeconds)).build()));
    }
    return StatusProto.toStatusRuntimeException(status.build());
  }

  @Override
  public Throwable transform(Throwable thrown) {
    if (thrown instanceof StatusRuntimeException || thrown instanceof StatusException) {
      Status status = Status.fromThrowable(thrown);
      // Of a call that this service made to another one: how that failed is not the caller's
      // affair,
      // except that it may be tried again.
      if (status.getCode() != Status.Code.UNKNOWN && status.getCode() != Status.Code.INTERNAL) {
        return thrown;
      }
    }
    return toStatus(Failures.toCaller(thrown));
  }

  @Override
  public <Q, R> ExceptionHandler<Q, R> createHandler(
      ServerCall.Listener<Q> listener, ServerCall<Q, R> call, Metadata metadata) {
    return new ClosingHandler<>(this, listener, call, metadata);
  }

  /** Closes the call with the mapped status when a listener throws. */
  private static final class ClosingHandler<Q, R> extends ExceptionHandler<Q, R> {
    private final GrpcErrors errors;

    ClosingHandler(
        GrpcErrors errors,
        ServerCall.Listener<Q> listener,
        ServerCall<Q, R> call,
        Metadata metadata) {
      super(listener, call, metadata);
      this.errors = errors;
    }

    @Override
    protected void handleException(Throwable thrown, ServerCall<Q, R> call, Metadata metadata) {
      Throwable mapped = errors.transform(thrown);
      Metadata trailers = Status.trailersFromThrowable(mapped);
      call.close(Status.fromThrowable(mapped), trailers == null ? new Metadata() : trailers);
    }
  }
}
