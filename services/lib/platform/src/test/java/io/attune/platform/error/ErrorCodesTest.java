package io.attune.platform.error;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.google.rpc.RetryInfo;
import io.attune.common.v1.ErrorCode;
import io.grpc.Status;
import io.grpc.protobuf.StatusProto;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class ErrorCodesTest {

  @Test
  void everyReasonHasAnErrorStatusInBothProtocols() throws Exception {
    for (ErrorCode code : reasons()) {
      assertThat(ErrorCodes.httpStatus(code)).as(code.name()).isBetween(400, 599);
      var refused = new PlatformException(code, "m");
      var status = GrpcErrors.toStatus(refused);
      assertThat(status.getStatus().getCode()).isNotIn(Status.Code.OK, Status.Code.UNKNOWN);
      var info =
          StatusProto.fromThrowable(status).getDetails(0).unpack(com.google.rpc.ErrorInfo.class);
      assertThat(info.getReason()).isEqualTo(ErrorCodes.reason(code)).doesNotContain("ERROR_CODE");
      assertThat(StatusProto.fromThrowable(status).getDetailsList())
          .as("RetryInfo of " + code)
          .filteredOn(detail -> detail.is(RetryInfo.class))
          .hasSize(ErrorCodes.retryable(code) ? 1 : 0);
    }
  }

  @Test
  void defectsTellTheCallerNothing() {
    PlatformException told = Failures.toCaller(new IllegalStateException("secret"));

    assertThat(told.code()).isEqualTo(ErrorCode.ERROR_CODE_INTERNAL);
    assertThat(told).hasMessageNotContaining("secret");
  }

  @Test
  void noReasonIsNone() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new PlatformException(ErrorCode.ERROR_CODE_UNSPECIFIED, "m"));
  }

  private static Iterable<ErrorCode> reasons() {
    return Arrays.stream(ErrorCode.values())
            .filter(c -> c != ErrorCode.ERROR_CODE_UNSPECIFIED && c != ErrorCode.UNRECOGNIZED)
        ::iterator;
  }
}
