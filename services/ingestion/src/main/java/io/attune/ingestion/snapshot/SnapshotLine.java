package io.attune.ingestion.snapshot;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.attune.common.v1.AdapterVersion;
import io.attune.common.v1.ChatMessage;
import io.attune.common.v1.Prompt;
import io.attune.feedback.v1.RatedAnswer;
import io.attune.feedback.v1.Rating;
import io.attune.feedback.v1.RatingAccepted;
import io.attune.feedback.v1.Thumb;
import io.attune.platform.storage.Digests;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.time.Instant;

/**
 * One line of a snapshot: JSON with a fixed order of fields and no white space, so that equal
 * ratings make equal bytes. docs/events.md says what readers can rely on.
 *
 * @param json without the line's end
 * @param heldOut whether the rating's prompt is held out from training
 */
record SnapshotLine(byte[] json, boolean heldOut) {

  private static final JsonFactory JSON = new JsonFactory();
  private static final int BUCKETS = 1000;

  static SnapshotLine of(RatingAccepted accepted, int heldOutPermille) {
    Prompt prompt = accepted.getAnswers(0).getPrompt();
    boolean heldOut = bucket(accepted) < heldOutPermille;
    byte[] json =
        write(
            line -> {
              Rating rating = accepted.getRating();
              line.writeStartObject();
              line.writeStringField("rating_id", rating.getId());
              line.writeStringField("rater", rating.getRater());
              line.writeStringField("dataset", rating.getDataset());
              line.writeStringField("conversation_id", rating.getConversationId());
              Instant time =
                  Instant.ofEpochSecond(
                      rating.getRatedTime().getSeconds(), rating.getRatedTime().getNanos());
              line.writeStringField("rated_time", time.toString());
              line.writeBooleanField("held_out", heldOut);
              line.writeFieldName("prompt");
              prompt(line, prompt);
              line.writeArrayFieldStart("answers");
              for (RatedAnswer answer : accepted.getAnswersList()) {
                answer(line, answer);
              }
              line.writeEndArray();
              feedback(line, rating);
              line.writeEndObject();
            });
    return new SnapshotLine(json, heldOut);
  }

  /**
   * 0 to 999, by the prompt's hash, so that all ratings of a prompt fall on one side. Where a
   * rating has no prompt, what it rates takes the prompt's place; else all such ratings were one
   * prompt.
   */
  static int bucket(RatingAccepted accepted) {
    RatedAnswer answer = accepted.getAnswers(0);
    Prompt prompt = answer.getPrompt();
    boolean none = !prompt.hasConversation() && prompt.getText().isEmpty();
    Prompt hashed = none ? Prompt.newBuilder().setText(answer.getCompletion()).build() : prompt;
    byte[] hash = Digests.newSha256().digest(write(json -> prompt(json, hashed)));
    return (int) Long.remainderUnsigned(ByteBuffer.wrap(hash).getLong(), BUCKETS);
  }

  private static void prompt(JsonGenerator json, Prompt prompt) throws IOException {
    if (!prompt.hasConversation()) {
      json.writeString(prompt.getText());
      return;
    }
    json.writeStartArray();
    for (ChatMessage message : prompt.getConversation().getMessagesList()) {
      json.writeStartObject();
      json.writeStringField("role", message.getRole());
      json.writeStringField("content", message.getContent());
      json.writeEndObject();
    }
    json.writeEndArray();
  }

  private static void answer(JsonGenerator json, RatedAnswer answer) throws IOException {
    json.writeStartObject();
    if (!answer.getGenerationId().isEmpty()) {
      json.writeStringField("generation_id", answer.getGenerationId());
    }
    json.writeStringField("completion", answer.getCompletion());
    if (answer.hasAdapter()) {
      AdapterVersion adapter = answer.getAdapter();
      json.writeObjectFieldStart("adapter");
      json.writeStringField("line", adapter.getLine());
      json.writeNumberField("version", adapter.getVersion());
      json.writeEndObject();
    }
    json.writeEndObject();
  }

  private static void feedback(JsonGenerator json, Rating rating) throws IOException {
    switch (rating.getFeedbackCase()) {
      case SCORE -> json.writeNumberField("score", rating.getScore());
      case THUMB ->
          json.writeStringField("thumb", rating.getThumb() == Thumb.THUMB_UP ? "up" : "down");
      case CHOICE -> json.writeNumberField("choice", rating.getChoice().getChosen());
      case CORRECTION -> json.writeStringField("correction", rating.getCorrection());
      case FEEDBACK_NOT_SET ->
          throw new IllegalStateException("an accepted rating has feedback: " + rating.getId());
    }
  }

  @FunctionalInterface
  private interface Writer {
    void write(JsonGenerator json) throws IOException;
  }

  private static byte[] write(Writer writer) {
    var bytes = new ByteArrayOutputStream(256);
    try (JsonGenerator json = JSON.createGenerator(bytes)) {
      writer.write(json);
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
    return bytes.toByteArray();
  }
}
