package io.attune.reward;

import com.fasterxml.jackson.databind.JsonNode;
import io.attune.common.v1.ErrorCode;
import io.attune.engine.data.Content;
import io.attune.engine.token.ChatMessage;
import io.attune.platform.error.PlatformException;
import io.attune.platform.identity.Caller;
import io.attune.platform.identity.Roles;
import io.quarkus.security.identity.SecurityIdentity;
import io.smallrye.common.annotation.Blocking;
import jakarta.annotation.security.RolesAllowed;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Set;

/** Scores by REST: the same as by gRPC, for callers without a gRPC client. */
@Path("/v1/score")
@Produces(MediaType.APPLICATION_JSON)
@Consumes(MediaType.APPLICATION_JSON)
public class RewardResource {

  /**
   * The scores.
   *
   * @param rewardModel the version that gave them, for example {@code reward@2}
   */
  public record Response(float[] scores, String rewardModel, String rewardModelSha256) {}

  private final Scoring scoring;
  private final SecurityIdentity identity;

  public RewardResource(Scoring scoring, SecurityIdentity identity) {
    this.scoring = scoring;
    this.identity = identity;
  }

  @POST
  @Blocking
  @RolesAllowed({Roles.TRAINER, Roles.VIEWER})
  public Response score(JsonNode body) {
    requireObject(body, "The body", Set.of("line", "answers"));
    JsonNode list = body.path("answers");
    RewardGrpc.requireCount(list.size());
    List<PromptAnswer> answers = new ArrayList<>();
    for (int i = 0; i < list.size(); i++) {
      answers.add(answer(list.get(i), "answers[" + i + "]"));
    }
    String line = body.hasNonNull("line") ? text(body.get("line"), "line") : "";
    Scoring.Scored scored = scoring.scoreForCaller(Caller.of(identity).tenant(), line, answers);
    return new Response(
        scored.scores(), scored.rewardModel().toString(), scored.rewardModel().sha256());
  }

  private static PromptAnswer answer(JsonNode json, String path) {
    requireObject(json, path, Set.of("prompt", "completion"));
    return new PromptAnswer(
        prompt(json.path("prompt"), path + ".prompt"),
        text(json.path("completion"), path + ".completion"));
  }

  /** Text, or an array of {@code {"role","content"}}. */
  private static Content prompt(JsonNode json, String path) {
    if (json.isTextual()) {
      return new Content.Text(json.textValue());
    }
    if (!json.isArray() || json.isEmpty()) {
      throw refuse(path, "must be a string or an array of messages");
    }
    List<ChatMessage> turns = new ArrayList<>();
    for (int i = 0; i < json.size(); i++) {
      String at = path + "[" + i + "]";
      requireObject(json.get(i), at, Set.of("role", "content"));
      turns.add(
          new ChatMessage(
              text(json.get(i).path("role"), at + ".role"),
              text(json.get(i).path("content"), at + ".content")));
    }
    return new Content.Messages(turns);
  }

  private static String text(JsonNode json, String path) {
    if (!json.isTextual()) {
      throw refuse(path, "must be a string");
    }
    return json.textValue();
  }

  private static void requireObject(JsonNode json, String path, Set<String> fields) {
    if (json == null || !json.isObject()) {
      throw refuse(path, "must be a JSON object");
    }
    for (Iterator<String> names = json.fieldNames(); names.hasNext(); ) {
      String name = names.next();
      if (!fields.contains(name)) {
        throw refuse(path + "." + name, "is unknown");
      }
    }
  }

  private static PlatformException refuse(String path, String why) {
    return new PlatformException(ErrorCode.ERROR_CODE_INVALID_ARGUMENT, path + " " + why + ".");
  }
}
