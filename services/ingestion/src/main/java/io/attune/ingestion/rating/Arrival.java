package io.attune.ingestion.rating;

import io.attune.feedback.v1.Rating;
import io.attune.platform.error.PlatformException;
import java.time.Instant;

/**
 * A rating as it came, read but not yet stored: either a rating or a refusal.
 *
 * @param origin where it came from
 * @param payload the bytes that came
 * @param rating valid and with its id; null when refused
 * @param refusal why it is refused; null when it is not
 * @param readableId the id as far as it could be read; empty otherwise
 * @param readableConversation the conversation as far as it could be read; empty otherwise
 */
public record Arrival(
    Origin origin,
    byte[] payload,
    Rating rating,
    PlatformException refusal,
    String readableId,
    String readableConversation) {

  /**
   * Where a rating came from.
   *
   * @param source "feedback.ratings.v1", "rest" or "grpc"
   * @param key the record's key, or empty
   * @param partition of the topic, else 0
   * @param offset of the record, or the place in the request
   * @param received when the record was written or the request came
   * @param traceparent the span in which it is taken; null outside of any
   */
  public record Origin(
      String source,
      String key,
      int partition,
      long offset,
      Instant received,
      String traceparent) {}

  static Arrival taken(Origin origin, byte[] payload, Rating rating) {
    return new Arrival(origin, payload, rating, null, rating.getId(), rating.getConversationId());
  }

  static Arrival refused(Origin origin, byte[] payload, PlatformException why) {
    return new Arrival(origin, payload, null, why, "", "");
  }

  static Arrival refused(Origin origin, byte[] payload, Rating readable, PlatformException why) {
    return new Arrival(
        origin,
        payload,
        null,
        why,
        TextRules.readableName(readable.getId()),
        TextRules.readableName(readable.getConversationId()));
  }
}
