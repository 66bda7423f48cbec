package io.attune.acceptance.chaos;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.attune.common.v1.Prompt;
import io.attune.feedback.v1.RatingAccepted;
import io.attune.platform.event.EventRecords;
import io.attune.platform.identity.Tenant;
import io.attune.serving.v1.Generation;
import io.attune.serving.v1.GenerationCompleted;
import java.time.Instant;
import java.util.List;
import java.util.SplittableRandom;
import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * A rating, of which seed and number decide everything.
 *
 * @param answer what it rates
 */
record TestRating(String id, String dataset, double score, Answer answer) {
  static final List<String> DATASETS = List.of("shop", "films");

  /** What a rating rates. */
  enum Answer {
    /** The rating's own text, and it comes by Kafka. */
    OWN,
    /** The rating's own text, and it comes by HTTP. */
    OWN_BY_CALL,
    /** A generation that is there, or as good as there. */
    GENERATION_BEFORE,
    /** A generation that comes when the rating has waited for a while. */
    GENERATION_AFTER
  }

  static TestRating of(long seed, int number) {
    SplittableRandom random = new SplittableRandom(seed * 1_000_003L + number);
    int kind = random.nextInt(100);
    Answer answer =
        kind < 50
            ? Answer.OWN
            : kind < 60
                ? Answer.OWN_BY_CALL
                : kind < 85 ? Answer.GENERATION_BEFORE : Answer.GENERATION_AFTER;
    return new TestRating(
        "rating-%d-%06d".formatted(seed, number),
        DATASETS.get(random.nextInt(DATASETS.size())),
        random.nextInt(101) / 100.0,
        answer);
  }

  private String generationId() {
    return "generation-of-" + id;
  }

  private boolean namesGeneration() {
    return answer == Answer.GENERATION_BEFORE || answer == Answer.GENERATION_AFTER;
  }

  private String completion() {
    return "The answer of " + id + ".";
  }

  /** As a program writes it that knows JSON and nothing of this platform. */
  String json() {
    String rated =
        namesGeneration()
            ? "\"generation_id\":\"" + generationId() + "\""
            : "\"prompt\":\"Question of %s?\",\"completion\":\"%s\"".formatted(id, completion());
    return "{\"id\":\"%s\",\"rater\":\"ann\",\"dataset\":\"%s\",\"score\":%s,%s}"
        .formatted(id, dataset, score, rated);
  }

  ProducerRecord<String, byte[]> toRecord() {
    return new ProducerRecord<>(
        io.attune.platform.event.Topics.RATINGS, id, json().getBytes(UTF_8));
  }

  /** The generation that it names, as serving publishes it. */
  ProducerRecord<String, byte[]> generation() {
    return EventRecords.encode(
        Tenant.DEFAULT,
        GenerationCompleted.newBuilder()
            .setGeneration(
                Generation.newBuilder()
                    .setGenerationId(generationId())
                    .setConversationId("conversation-of-" + id)
                    .setPrompt(Prompt.newBuilder().setText("Question of " + id + "?"))
                    .setCompletion(completion()))
            .build(),
        generationId(),
        "serving",
        Instant.EPOCH);
  }

  /** Whether what was accepted says what was sent, joined to the answer that it rates. */
  boolean isIn(RatingAccepted accepted) {
    return accepted.getRating().getId().equals(id)
        && accepted.getRating().getDataset().equals(dataset)
        && accepted.getRating().getScore() == score
        && accepted.getAnswersCount() == 1
        && accepted.getAnswers(0).getCompletion().equals(completion())
        && accepted.getAnswers(0).getGenerationId().equals(namesGeneration() ? generationId() : "");
  }
}
