package io.attune.platform.error;

import io.attune.common.v1.ErrorCode;
import io.attune.common.v1.Failure;
import java.time.Duration;
import java.util.Objects;

/**
 * Something refused or failed for a reason that the caller may know.
 *
 * <p>The message goes to the caller and to logs: it says what is wrong, where, and what to do, and
 * never holds user text. Anything else that is thrown reaches the caller as an opaque INTERNAL.
 */
public final class PlatformException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  private final ErrorCode code;
  private final long retrySeconds;

  /**
   * @throws IllegalArgumentException if the code is UNSPECIFIED, which is never a reason
   */
  public PlatformException(ErrorCode code, String message) {
    this(code, message, null);
  }

  /** With what led to it, which only the log sees. */
  public PlatformException(ErrorCode code, String message, Throwable cause) {
    this(code, message, cause, ErrorCodes.RETRY_SECONDS);
  }

  private PlatformException(ErrorCode code, String message, Throwable cause, long retrySeconds) {
    super(Objects.requireNonNull(message), cause);
    if (code == ErrorCode.ERROR_CODE_UNSPECIFIED || code == ErrorCode.UNRECOGNIZED) {
      throw new IllegalArgumentException("an error needs a reason, got " + code);
    }
    this.code = code;
    this.retrySeconds = retrySeconds;
  }

  /**
   * QUOTA_EXCEEDED.
   *
   * @param retryAfter when the same call can succeed at the earliest; rounded up to seconds
   */
  public static PlatformException quotaExceeded(String message, Duration retryAfter) {
    long seconds = retryAfter.plusSeconds(1).minusNanos(1).toSeconds();
    return new PlatformException(
        ErrorCode.ERROR_CODE_QUOTA_EXCEEDED,
        message,
        null,
        Math.max(ErrorCodes.RETRY_SECONDS, seconds));
  }

  /** After how many seconds trying again is worth it, where the code says that it may be. */
  public long retrySeconds() {
    return retrySeconds;
  }

  public ErrorCode code() {
    return code;
  }

  /** For the message fields that carry a failure. */
  public Failure toFailure() {
    return Failure.newBuilder().setCode(code).setMessage(getMessage()).build();
  }
}
