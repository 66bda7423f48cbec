package io.attune.platform.error;

import io.attune.common.v1.ErrorCode;
import io.grpc.Status;

/** What each error code means in HTTP and gRPC. The one place that knows. */
public final class ErrorCodes {

  /** After how many seconds a call that can succeed later is worth trying again, at the least. */
  static final int RETRY_SECONDS = 1;

  private static final String PREFIX = "ERROR_CODE_";

  private ErrorCodes() {}

  /** The code as it is written in JSON, ErrorInfo and headers, for example {@code NOT_FOUND}. */
  public static String reason(ErrorCode code) {
    return code.name().substring(code.name().startsWith(PREFIX) ? PREFIX.length() : 0);
  }

  /** The HTTP status that carries the code. */
  public static int httpStatus(ErrorCode code) {
    return switch (code) {
      case ERROR_CODE_MALFORMED, ERROR_CODE_INVALID_ARGUMENT -> 400;
      case ERROR_CODE_UNAUTHENTICATED -> 401;
      case ERROR_CODE_PERMISSION_DENIED, ERROR_CODE_TEXT_NOT_ALLOWED -> 403;
      case ERROR_CODE_NOT_FOUND, ERROR_CODE_GENERATION_UNKNOWN -> 404;
      case ERROR_CODE_CONFLICT, ERROR_CODE_INCOMPATIBLE, ERROR_CODE_TOO_LITTLE_DATA -> 409;
      case ERROR_CODE_TOO_LARGE -> 413;
      case ERROR_CODE_OVERLOADED, ERROR_CODE_QUOTA_EXCEEDED -> 429;
      case ERROR_CODE_UNAVAILABLE -> 503;
      case ERROR_CODE_CANCELLED -> 499;
      case ERROR_CODE_CORRUPT,
          ERROR_CODE_DIVERGED,
          ERROR_CODE_INTERNAL,
          ERROR_CODE_UNSPECIFIED,
          UNRECOGNIZED ->
          500;
    };
  }

  /** The gRPC status that carries the code. */
  public static Status.Code grpcCode(ErrorCode code) {
    return switch (code) {
      case ERROR_CODE_MALFORMED, ERROR_CODE_INVALID_ARGUMENT, ERROR_CODE_TOO_LARGE ->
          Status.Code.INVALID_ARGUMENT;
      case ERROR_CODE_UNAUTHENTICATED -> Status.Code.UNAUTHENTICATED;
      case ERROR_CODE_PERMISSION_DENIED, ERROR_CODE_TEXT_NOT_ALLOWED ->
          Status.Code.PERMISSION_DENIED;
      case ERROR_CODE_NOT_FOUND, ERROR_CODE_GENERATION_UNKNOWN -> Status.Code.NOT_FOUND;
      case ERROR_CODE_CONFLICT, ERROR_CODE_INCOMPATIBLE, ERROR_CODE_TOO_LITTLE_DATA ->
          Status.Code.FAILED_PRECONDITION;
      case ERROR_CODE_OVERLOADED, ERROR_CODE_QUOTA_EXCEEDED -> Status.Code.RESOURCE_EXHAUSTED;
      case ERROR_CODE_UNAVAILABLE -> Status.Code.UNAVAILABLE;
      case ERROR_CODE_CANCELLED -> Status.Code.CANCELLED;
      case ERROR_CODE_CORRUPT -> Status.Code.DATA_LOSS;
      case ERROR_CODE_DIVERGED -> Status.Code.ABORTED;
      case ERROR_CODE_INTERNAL, ERROR_CODE_UNSPECIFIED, UNRECOGNIZED -> Status.Code.INTERNAL;
    };
  }

  /** Whether the same call can succeed later without being changed. */
  public static boolean retryable(ErrorCode code) {
    return switch (code) {
      case ERROR_CODE_OVERLOADED,
          ERROR_CODE_UNAVAILABLE,
          ERROR_CODE_QUOTA_EXCEEDED,
          ERROR_CODE_TOO_LITTLE_DATA ->
          true;
      default -> false;
    };
  }
}
