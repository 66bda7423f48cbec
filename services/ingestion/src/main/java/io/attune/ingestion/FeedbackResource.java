package io.attune.ingestion;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.attune.common.v1.Failure;
import io.attune.feedback.v1.RatingOutcome;
import io.attune.ingestion.rating.RatingSubmission;
import io.attune.platform.error.ErrorCodes;
import io.attune.platform.error.PlatformException;
import io.attune.platform.identity.Caller;
import io.attune.platform.identity.Roles;
import io.quarkus.security.identity.SecurityIdentity;
import jakarta.annotation.security.RolesAllowed;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.MediaType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Ratings in HTTP. */
@Path("/v1/feedback")
public class FeedbackResource {

  private static final String NDJSON = "application/x-ndjson";

  private final RatingSubmission submission;
  private final SecurityIdentity identity;
  private final ObjectMapper json;

  FeedbackResource(RatingSubmission submission, SecurityIdentity identity, ObjectMapper json) {
    this.submission = submission;
    this.identity = identity;
    this.json = json;
  }

  /** What became of a rating; {@code error} as in every other error. */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Outcome(String ratingId, String state, Map<String, String> error) {

    static Outcome of(RatingOutcome outcome) {
      Failure failure = outcome.getFailure();
      return new Outcome(
          outcome.getRatingId(),
          outcome.getState().name(),
          outcome.hasFailure()
              ? Map.of(
                  "code", ErrorCodes.reason(failure.getCode()), "message", failure.getMessage())
              : null);
    }
  }

  /** The counts of a data set. */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  public record Statistics(long accepted, long rejected, long duplicates, long pending) {}

  /** Takes one rating; a refused one is an error of this request. */
  @POST
  @Consumes(MediaType.APPLICATION_JSON)
  @Produces(MediaType.APPLICATION_JSON)
  @RolesAllowed({Roles.RATER, Roles.DATA_ENGINEER})
  public Outcome submit(byte[] body) {
    RatingOutcome outcome = submission.submitJson(List.of(body), Caller.of(identity)).get(0);
    if (outcome.getState() == RatingOutcome.State.STATE_REJECTED) {
      throw new PlatformException(
          outcome.getFailure().getCode(), outcome.getFailure().getMessage());
    }
    return Outcome.of(outcome);
  }

  /** Takes up to a thousand ratings, a line each, and answers with an outcome for each line. */
  @POST
  @Consumes(NDJSON)
  @Produces(NDJSON)
  @RolesAllowed({Roles.RATER, Roles.DATA_ENGINEER})
  public byte[] submitLines(byte[] body) throws JsonProcessingException {
    StringBuilder answer = new StringBuilder();
    for (RatingOutcome outcome : submission.submitJson(lines(body), Caller.of(identity))) {
      answer.append(json.writeValueAsString(Outcome.of(outcome))).append('\n');
    }
    return answer.toString().getBytes(UTF_8);
  }

  /** Counts of a data set; of "default" when none is named. */
  @GET
  @Path("/statistics")
  @Produces(MediaType.APPLICATION_JSON)
  @RolesAllowed(Roles.VIEWER)
  public Statistics statistics(@QueryParam("dataset") String dataset) {
    var counts = submission.statistics(Caller.of(identity).tenant(), dataset);
    return new Statistics(
        counts.getAccepted(), counts.getRejected(), counts.getDuplicates(), counts.getPending());
  }

  /** The lines of a body; a line feed at the very end begins no further line. */
  private static List<byte[]> lines(byte[] body) {
    List<byte[]> lines = new ArrayList<>();
    int start = 0;
    for (int i = 0; i <= body.length && lines.size() <= RatingSubmission.MAX_RATINGS; i++) {
      boolean end = i == body.length;
      if (end ? i > start : body[i] == '\n') {
        lines.add(java.util.Arrays.copyOfRange(body, start, i));
        start = i + 1;
      }
    }
    return lines;
  }
}
