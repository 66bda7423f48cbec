package io.attune.ingestion.rating;

import com.google.protobuf.Timestamp;
import io.attune.common.v1.Prompt;
import io.attune.feedback.v1.RatedAnswer;
import io.attune.feedback.v1.Rating;
import io.attune.feedback.v1.RatingAccepted;
import io.attune.ingestion.generation.GenerationStore.Answered;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;

/** Puts a rating and the answers that it rates together. Pure. */
public final class Joining {

  private Joining() {}

  /** The generations that a rating names; empty for imported text. */
  public static List<String> generationIds(Rating rating) {
    if (!rating.getGenerationId().isEmpty()) {
      return List.of(rating.getGenerationId());
    }
    return rating.getChoice().getGenerationIdsList();
  }

  /** Whether all that the rating names is at hand. */
  public static boolean complete(Rating rating, Map<String, Answered> generations) {
    return generations.keySet().containsAll(generationIds(rating));
  }

  /**
   * The accepted rating.
   *
   * @param key the record's key, which is a conversation where nothing better names one
   * @throws io.attune.platform.error.PlatformException INVALID_ARGUMENT if the answers of a choice
   *     do not belong to one prompt
   */
  public static RatingAccepted join(
      Rating rating, String key, Map<String, Answered> generations, Instant received, Instant now) {
    List<RatedAnswer> answers = new ArrayList<>();
    String conversation = rating.getConversationId();
    for (String id : generationIds(rating)) {
      Answered answered = generations.get(id);
      answers.add(answered.answer());
      if (conversation.isEmpty()) {
        conversation = answered.conversationId();
      }
    }
    if (answers.isEmpty()) {
      imported(rating, answers);
    } else if (rating.hasChoice()) {
      onePrompt(answers);
    }
    if (conversation.isEmpty()) {
      conversation = key.isEmpty() ? rating.getId() : key;
    }
    Rating.Builder filled = rating.toBuilder().setConversationId(conversation);
    if (!rating.hasRatedTime()) {
      filled.setRatedTime(timestamp(received));
    }
    return RatingAccepted.newBuilder()
        .setRating(filled)
        .addAllAnswers(answers)
        .setAcceptedTime(timestamp(now))
        .build();
  }

  static Timestamp timestamp(Instant time) {
    return Timestamp.newBuilder()
        .setSeconds(time.getEpochSecond())
        .setNanos(time.getNano())
        .build();
  }

  private static void imported(Rating rating, List<RatedAnswer> into) {
    Prompt prompt = Prompt.newBuilder().setText(rating.getPrompt()).build();
    List<String> completions =
        rating.hasChoice()
            ? rating.getChoice().getCompletionsList()
            : List.of(rating.getCompletion());
    for (String completion : completions) {
      into.add(RatedAnswer.newBuilder().setPrompt(prompt).setCompletion(completion).build());
    }
  }

  private static void onePrompt(List<RatedAnswer> answers) {
    HashSet<Prompt> prompts = new HashSet<>();
    answers.forEach(answer -> prompts.add(answer.getPrompt()));
    if (prompts.size() > 1) {
      throw TextRules.invalid(
          "choice.generation_ids must answer one prompt; they answer different ones");
    }
  }
}
