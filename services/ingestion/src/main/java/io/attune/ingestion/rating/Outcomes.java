package io.attune.ingestion.rating;

import com.google.protobuf.ByteString;
import io.attune.common.v1.Failure;
import io.attune.feedback.v1.RatingAccepted;
import io.attune.feedback.v1.RatingOutcome;
import io.attune.feedback.v1.RatingRejected;
import io.attune.ingestion.rating.Arrival.Origin;
import io.attune.platform.error.ErrorCodes;
import io.attune.platform.error.PlatformException;
import io.attune.platform.event.Outbox;
import io.attune.platform.storage.Digests;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.HexFormat;

/** What is said about a rating: to its sender, and as events. */
final class Outcomes {

  /** Names of counts and of the metric's tag. */
  static final String ACCEPTED = "accepted";

  static final String REJECTED = "rejected";
  static final String DUPLICATE = "duplicate";
  static final String PENDING = "pending";

  private static final int MAX_PAYLOAD_BYTES = 64 * 1024;

  private Outcomes() {}

  static RatingOutcome of(String ratingId, RatingOutcome.State state) {
    return RatingOutcome.newBuilder().setRatingId(ratingId).setState(state).build();
  }

  static RatingOutcome rejected(String ratingId, PlatformException why) {
    return RatingOutcome.newBuilder()
        .setRatingId(ratingId)
        .setState(RatingOutcome.State.STATE_REJECTED)
        .setFailure(why.toFailure())
        .build();
  }

  /** A rating is accepted once, so that its id makes the event's. */
  static Outbox.Entry acceptedEvent(RatingAccepted accepted, Origin origin, Instant now) {
    String id = accepted.getRating().getId() + "/accepted";
    return new Outbox.Entry(accepted, id, now, null, origin.traceparent());
  }

  static Outbox.Entry rejectedEvent(
      Origin origin,
      byte[] payload,
      String ratingId,
      String conversationId,
      PlatformException why,
      Instant now) {
    Failure failure = why.toFailure();
    String id = rejectionId(origin, payload);
    String conversation = conversationId;
    if (conversation.isEmpty()) {
      conversation = origin.key();
    }
    if (conversation.isEmpty()) {
      // Nothing names a conversation, and a record without a key would have no place.
      conversation = ratingId.isEmpty() ? id : ratingId;
    }
    RatingRejected event =
        RatingRejected.newBuilder()
            .setConversationId(conversation)
            .setRatingId(ratingId)
            .setFailure(failure)
            .setPayload(
                ByteString.copyFrom(payload, 0, Math.min(payload.length, MAX_PAYLOAD_BYTES)))
            .setSource(origin.source())
            .setPartition(origin.partition())
            .setOffset(origin.offset())
            .setRejectedTime(Joining.timestamp(now))
            .build();
    return new Outbox.Entry(event, id, now, ErrorCodes.reason(why.code()), origin.traceparent());
  }

  /** The same refused record always makes the same event. */
  private static String rejectionId(Origin origin, byte[] payload) {
    MessageDigest digest = Digests.newSha256();
    String place =
        "%s/%d/%d/%d"
            .formatted(
                origin.source(),
                origin.partition(),
                origin.offset(),
                origin.received().toEpochMilli());
    digest.update(place.getBytes(StandardCharsets.UTF_8));
    digest.update(payload);
    return HexFormat.of().formatHex(digest.digest()) + "/rejected";
  }
}
