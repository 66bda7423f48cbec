package io.attune.platform.error;

import com.fasterxml.jackson.core.JacksonException;
import io.attune.common.v1.ErrorCode;
import io.quarkus.security.AuthenticationFailedException;
import io.quarkus.security.ForbiddenException;
import io.quarkus.security.UnauthorizedException;
import jakarta.ws.rs.Priorities;
import jakarta.ws.rs.WebApplicationException;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.util.Map;
import org.jboss.resteasy.reactive.server.ServerExceptionMapper;

/** Every HTTP error has one form: {@code {"error":{"code":"NOT_FOUND","message":"…"}}}. */
public final class HttpErrors {

  /** The body of an error. */
  public record Body(Map<String, String> error) {}

  @ServerExceptionMapper(priority = Priorities.USER)
  public Response refused(PlatformException thrown) {
    return respond(thrown);
  }

  // Named one by one: Quarkus has mappers of its own for these, which a mapper of Throwable would
  // not replace.
  @ServerExceptionMapper(priority = Priorities.AUTHENTICATION - 1)
  public Response unauthenticated(AuthenticationFailedException thrown) {
    return respond(Failures.toCaller(thrown));
  }

  @ServerExceptionMapper(priority = Priorities.AUTHENTICATION - 1)
  public Response unauthorized(UnauthorizedException thrown) {
    return respond(Failures.toCaller(thrown));
  }

  @ServerExceptionMapper(priority = Priorities.AUTHENTICATION - 1)
  public Response forbidden(ForbiddenException thrown) {
    return respond(Failures.toCaller(thrown));
  }

  @ServerExceptionMapper(priority = Priorities.USER)
  public Response malformed(JacksonException thrown) {
    return respond(Failures.toCaller(thrown));
  }

  /** Routing's own refusals (no such path, wrong method or media type) keep their status. */
  @ServerExceptionMapper(priority = Priorities.USER)
  public Response routing(WebApplicationException thrown) {
    int status = thrown.getResponse().getStatus();
    if (thrown.getCause() instanceof JacksonException json) {
      return respond(Failures.toCaller(json));
    }
    if (status >= 500) {
      return respond(Failures.toCaller(thrown));
    }
    ErrorCode code =
        switch (status) {
          case 401 -> ErrorCode.ERROR_CODE_UNAUTHENTICATED;
          case 403 -> ErrorCode.ERROR_CODE_PERMISSION_DENIED;
          case 404 -> ErrorCode.ERROR_CODE_NOT_FOUND;
          case 413 -> ErrorCode.ERROR_CODE_TOO_LARGE;
          default -> ErrorCode.ERROR_CODE_INVALID_ARGUMENT;
        };
    String message =
        "The request cannot be handled: "
            + thrown.getResponse().getStatusInfo().getReasonPhrase()
            + ".";
    return body(status, code, message, ErrorCodes.RETRY_SECONDS);
  }

  @ServerExceptionMapper(priority = Priorities.USER)
  public Response defect(RuntimeException thrown) {
    return respond(Failures.toCaller(thrown));
  }

  private static Response respond(PlatformException refused) {
    return body(
        ErrorCodes.httpStatus(refused.code()),
        refused.code(),
        refused.getMessage(),
        refused.retrySeconds());
  }

  private static Response body(int status, ErrorCode code, String message, long retrySeconds) {
    var response = Response.status(status).type(MediaType.APPLICATION_JSON);
    if (status == 401) {
      response.header("WWW-Authenticate", "Bearer");
    }
    if (ErrorCodes.retryable(code)) {
      response.header("Retry-After", retrySeconds);
    }
    return response
        .entity(new Body(Map.of("code", ErrorCodes.reason(code), "message", message)))
        .build();
  }
}
