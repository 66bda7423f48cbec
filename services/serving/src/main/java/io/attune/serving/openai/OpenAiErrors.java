package io.attune.serving.openai;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.common.v1.ErrorCode;
import io.attune.platform.error.ErrorCodes;
import io.attune.platform.error.PlatformException;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;

/** Errors as the OpenAI clients read them: {@code {"error":{message,type,code,param}}}. */
final class OpenAiErrors {

  private OpenAiErrors() {}

  static Response response(PlatformException refused) {
    return response(refused.code(), refused.getMessage(), null, refused.retrySeconds());
  }

  static Response response(RefusedField refused) {
    return response(
        ErrorCode.ERROR_CODE_INVALID_ARGUMENT, refused.getMessage(), refused.param(), 0);
  }

  private static Response response(
      ErrorCode code, String message, String param, long retrySeconds) {
    var response =
        Response.status(ErrorCodes.httpStatus(code))
            .type(MediaType.APPLICATION_JSON)
            .entity(body(code, message, param).toString());
    if (ErrorCodes.retryable(code)) {
      response.header("Retry-After", retrySeconds);
    }
    return response.build();
  }

  /**
   * @param param the field that is wrong; null where there is none
   */
  static ObjectNode body(ErrorCode code, String message, String param) {
    ObjectNode body = JsonNodeFactory.instance.objectNode();
    body.putObject("error")
        .put("message", message)
        .put("type", type(ErrorCodes.httpStatus(code)))
        .put("param", param)
        .put("code", ErrorCodes.reason(code));
    return body;
  }

  private static String type(int status) {
    return switch (status) {
      case 401 -> "authentication_error";
      case 403 -> "permission_error";
      case 404 -> "not_found_error";
      case 429 -> "rate_limit_error";
      default -> status < 500 ? "invalid_request_error" : "server_error";
    };
  }
}
