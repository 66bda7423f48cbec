package io.attune.ingestion.snapshot;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Timestamp;
import io.attune.common.v1.AdapterVersion;
import io.attune.common.v1.ChatMessage;
import io.attune.common.v1.Conversation;
import io.attune.common.v1.Prompt;
import io.attune.feedback.v1.RatedAnswer;
import io.attune.feedback.v1.Rating;
import io.attune.feedback.v1.RatingAccepted;
import io.attune.feedback.v1.Thumb;
import org.junit.jupiter.api.Test;

class SnapshotLineTest {

  @Test
  void writesAllFieldsInTheirOrder() {
    RatingAccepted accepted =
        RatingAccepted.newBuilder()
            .setRating(
                Rating.newBuilder()
                    .setId("r1")
                    .setRater("ann")
                    .setDataset("default")
                    .setConversationId("c1")
                    .setRatedTime(Timestamp.newBuilder().setSeconds(1))
                    .setThumb(Thumb.THUMB_DOWN))
            .addAnswers(
                RatedAnswer.newBuilder()
                    .setGenerationId("g1")
                    .setCompletion("\u00dcber \"x\"")
                    .setPrompt(
                        Prompt.newBuilder()
                            .setConversation(
                                Conversation.newBuilder()
                                    .addMessages(
                                        ChatMessage.newBuilder().setRole("user").setContent("hi"))))
                    .setAdapter(AdapterVersion.newBuilder().setLine("assistant").setVersion(2)))
            .build();

    assertThat(new String(SnapshotLine.of(accepted, 0).json(), UTF_8))
        .isEqualTo(
            "{\"rating_id\":\"r1\",\"rater\":\"ann\",\"dataset\":\"default\",\"conversation_id\":\"c1\","
                + "\"rated_time\":\"1970-01-01T00:00:01Z\",\"held_out\":false,"
                + "\"prompt\":[{\"role\":\"user\",\"content\":\"hi\"}],\"answers\":[{\"generation_id\":\"g1\",\"completion\":\"\u00dcber"
                + " \\\"x\\\"\","
                + "\"adapter\":{\"line\":\"assistant\",\"version\":2}}],\"thumb\":\"down\"}");
  }

  @Test
  void bucketsAsThePublishedFormulaSays() {
    // python3: int.from_bytes(sha256(b'"Where is my parcel?"').digest()[:8], "big") % 1000
    assertThat(SnapshotLine.bucket(imported("Where is my parcel?", "a"))).isEqualTo(413);
  }

  @Test
  void allRatingsOfAPromptFallOnOneSide() {
    assertThat(SnapshotLine.bucket(imported("p", "a")))
        .isEqualTo(SnapshotLine.bucket(imported("p", "b")));
  }

  @Test
  void withoutAPromptTheAnswerDecides() {
    long heldOut =
        java.util.stream.IntStream.range(0, 2000)
            .filter(i -> SnapshotLine.of(imported("", "text " + i), 150).heldOut())
            .count();

    // 2000 draws at 0.15: mean 300, standard deviation 16.
    assertThat(heldOut).isBetween(220L, 380L);
  }

  private static RatingAccepted imported(String prompt, String completion) {
    return RatingAccepted.newBuilder()
        .setRating(Rating.newBuilder().setId(completion).setScore(1))
        .addAnswers(
            RatedAnswer.newBuilder()
                .setPrompt(Prompt.newBuilder().setText(prompt))
                .setCompletion(completion))
        .build();
  }
}
