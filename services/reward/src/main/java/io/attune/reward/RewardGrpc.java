package io.attune.reward;

import io.attune.common.v1.ErrorCode;
import io.attune.engine.data.Content;
import io.attune.engine.token.ChatMessage;
import io.attune.platform.error.PlatformException;
import io.attune.platform.identity.Caller;
import io.attune.platform.identity.Roles;
import io.attune.reward.v1.Answer;
import io.attune.reward.v1.RewardService;
import io.attune.reward.v1.ScoreRequest;
import io.attune.reward.v1.ScoreResponse;
import io.quarkus.grpc.GrpcService;
import io.quarkus.security.identity.SecurityIdentity;
import io.smallrye.common.annotation.Blocking;
import io.smallrye.mutiny.Uni;
import jakarta.annotation.security.RolesAllowed;
import java.util.ArrayList;
import java.util.List;

/** Scores by gRPC. */
@GrpcService
public class RewardGrpc implements RewardService {

  static final int MAX_ANSWERS = 256;

  private final Scoring scoring;
  private final SecurityIdentity identity;

  public RewardGrpc(Scoring scoring, SecurityIdentity identity) {
    this.scoring = scoring;
    this.identity = identity;
  }

  @Override
  @Blocking
  @RolesAllowed({Roles.TRAINER, Roles.VIEWER})
  public Uni<ScoreResponse> score(ScoreRequest request) {
    requireCount(request.getAnswersCount());
    List<PromptAnswer> answers = new ArrayList<>();
    for (Answer answer : request.getAnswersList()) {
      answers.add(new PromptAnswer(prompt(answer.getPrompt()), answer.getCompletion()));
    }
    Scoring.Scored scored =
        scoring.scoreForCaller(Caller.of(identity).tenant(), request.getLine(), answers);
    var response = ScoreResponse.newBuilder().setRewardModel(scored.rewardModel().toProto());
    for (float score : scored.scores()) {
      response.addScores(score);
    }
    return Uni.createFrom().item(response.build());
  }

  static void requireCount(int answers) {
    if (answers < 1 || answers > MAX_ANSWERS) {
      throw new PlatformException(
          ErrorCode.ERROR_CODE_INVALID_ARGUMENT,
          "1 to " + MAX_ANSWERS + " answers are scored at once, got " + answers + ".");
    }
  }

  /**
   * The prompt of a request or event.
   *
   * @throws PlatformException INVALID_ARGUMENT if neither form is set
   */
  static Content prompt(io.attune.common.v1.Prompt proto) {
    return switch (proto.getFormCase()) {
      case TEXT -> new Content.Text(proto.getText());
      case CONVERSATION ->
          new Content.Messages(
              proto.getConversation().getMessagesList().stream()
                  .map(turn -> new ChatMessage(turn.getRole(), turn.getContent()))
                  .toList());
      case FORM_NOT_SET ->
          throw new PlatformException(
              ErrorCode.ERROR_CODE_INVALID_ARGUMENT,
              "The prompt is missing; set its text or its conversation.");
    };
  }
}
