package io.attune.platform.call;

import io.attune.common.v1.ErrorCode;
import io.attune.platform.error.PlatformException;
import io.grpc.Metadata;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** How long the caller of a gRPC call waits: the header {@code grpc-timeout}. */
final class GrpcTimeout {

  static final Metadata.Key<String> HEADER =
      Metadata.Key.of("grpc-timeout", Metadata.ASCII_STRING_MARSHALLER);

  private static final Pattern FORM = Pattern.compile("(\\d{1,8})([HMSmun])");

  private GrpcTimeout() {}

  /**
   * The time from now on; empty where the caller names none.
   *
   * @throws PlatformException INVALID_ARGUMENT for a header that is not of the protocol's form
   */
  static Optional<Duration> of(Metadata headers) {
    String text = headers.get(HEADER);
    if (text == null) {
      return Optional.empty();
    }
    Matcher form = FORM.matcher(text);
    if (!form.matches()) {
      throw new PlatformException(
          ErrorCode.ERROR_CODE_INVALID_ARGUMENT,
          "The header grpc-timeout is 1 to 8 digits and one of H, M, S, m, u, n.");
    }
    return Optional.of(Duration.of(Long.parseLong(form.group(1)), unit(form.group(2).charAt(0))));
  }

  private static ChronoUnit unit(char letter) {
    return switch (letter) {
      case 'H' -> ChronoUnit.HOURS;
      case 'M' -> ChronoUnit.MINUTES;
      case 'S' -> ChronoUnit.SECONDS;
      case 'm' -> ChronoUnit.MILLIS;
      case 'u' -> ChronoUnit.MICROS;
      default -> ChronoUnit.NANOS;
    };
  }
}
