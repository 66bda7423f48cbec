package io.attune.platform.error;

import com.fasterxml.jackson.core.JacksonException;
import io.attune.common.v1.ErrorCode;
import io.quarkus.security.AuthenticationException;
import io.quarkus.security.ForbiddenException;
import io.quarkus.security.UnauthorizedException;
import java.util.UUID;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import org.jboss.logging.Logger;

/**
 * Turns whatever was thrown into something that a caller may see.
 *
 * <p>A defect becomes INTERNAL with an id; the log has the stack trace under that id, so that
 * nothing of the inside leaves the service.
 */
public final class Failures {

  private static final Logger LOG = Logger.getLogger(Failures.class);

  private Failures() {}

  /** What the caller is told. Logs defects; everything else is the caller's to act on. */
  public static PlatformException toCaller(Throwable thrown) {
    Throwable cause = unwrap(thrown);
    if (cause instanceof PlatformException known) {
      return known;
    }
    if (cause instanceof AuthenticationException || cause instanceof UnauthorizedException) {
      return unauthenticated();
    }
    if (cause instanceof ForbiddenException) {
      return new PlatformException(
          ErrorCode.ERROR_CODE_PERMISSION_DENIED, "The token does not carry a role for this call.");
    }
    if (cause instanceof JacksonException json) {
      // Jackson's own message quotes the input, which is user text.
      var at = json.getLocation();
      String where =
          at == null ? "" : " at line " + at.getLineNr() + ", column " + at.getColumnNr();
      return new PlatformException(
          ErrorCode.ERROR_CODE_MALFORMED,
          "The body is not the JSON that is expected" + where + ".");
    }
    return defect(cause);
  }

  /** The answer to a call without a valid token; says nothing about why a token is not valid. */
  public static PlatformException unauthenticated() {
    return new PlatformException(
        ErrorCode.ERROR_CODE_UNAUTHENTICATED,
        "A valid access token for this service is needed; send it as 'authorization: Bearer"
            + " TOKEN'.");
  }

  private static PlatformException defect(Throwable cause) {
    String id = UUID.randomUUID().toString();
    LOG.errorf(Loggable.of(cause), "Internal error errorId=%s", id);
    return new PlatformException(
        ErrorCode.ERROR_CODE_INTERNAL,
        "Something went wrong inside the platform; the service's log has the details under "
            + id
            + ".");
  }

  private static Throwable unwrap(Throwable thrown) {
    Throwable at = thrown;
    while ((at instanceof CompletionException || at instanceof ExecutionException)
        && at.getCause() != null) {
      at = at.getCause();
    }
    return at;
  }
}
