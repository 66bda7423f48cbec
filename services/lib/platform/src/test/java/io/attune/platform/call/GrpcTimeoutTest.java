package io.attune.platform.call;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attune.common.v1.ErrorCode;
import io.attune.platform.error.PlatformException;
import io.grpc.Metadata;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class GrpcTimeoutTest {

  @ParameterizedTest
  @CsvSource({
    "2H,PT2H",
    "90M,PT90M",
    "3S,PT3S",
    "250m,PT0.25S",
    "5u,PT0.000005S",
    "99999999n,PT0.099999999S"
  })
  void everyUnitOfTheProtocol(String header, Duration expected) {
    assertThat(GrpcTimeout.of(headers(header))).contains(expected);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "S", "-1S", "123456789S", "1.5S", "1s", "1S "})
  void anyOtherFormIsRefused(String header) {
    assertThatThrownBy(() -> GrpcTimeout.of(headers(header)))
        .isInstanceOfSatisfying(
            PlatformException.class,
            refused -> assertThat(refused.code()).isEqualTo(ErrorCode.ERROR_CODE_INVALID_ARGUMENT));
  }

  @Test
  void callersThatNameNoneWaitForEver() {
    assertThat(GrpcTimeout.of(new Metadata())).isEqualTo(Optional.empty());
  }

  private static Metadata headers(String value) {
    var headers = new Metadata();
    headers.put(GrpcTimeout.HEADER, value);
    return headers;
  }
}
