package io.attune.ingestion.rating;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnknownFieldSet;
import io.attune.common.v1.ErrorCode;
import io.attune.feedback.v1.Rating;
import io.attune.ingestion.rating.Arrival.Origin;
import io.attune.platform.error.PlatformException;
import io.attune.platform.event.EventRecords;
import io.attune.platform.event.RecordSpans;
import io.attune.platform.identity.Caller;
import io.attune.platform.identity.Roles;
import io.attune.platform.storage.Digests;
import java.time.Clock;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Locale;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** From bytes to a valid rating with an id, or to a refusal. Never throws for what bytes hold. */
public final class RatingReader {

  /** Sixteen completions of the largest size that is taken do not fit; that is meant. */
  static final int MAX_RECORD_BYTES = 512 * 1024;

  private final Clock clock;

  public RatingReader(Clock clock) {
    this.clock = clock;
  }

  /** A record of the topic; whoever the broker lets write there may import. */
  public Arrival read(ConsumerRecord<String, byte[]> kafka) {
    String key = kafka.key() == null ? "" : TextRules.readableName(kafka.key());
    var origin =
        new Origin(
            kafka.topic(),
            key,
            kafka.partition(),
            kafka.offset(),
            Instant.ofEpochMilli(Math.max(kafka.timestamp(), 0)),
            RecordSpans.traceparent(kafka));
    byte[] payload = kafka.value() == null ? new byte[0] : kafka.value();
    try {
      // Refuses what says that it is another tenant's than its topic.
      EventRecords.tenant(kafka);
      String type = EventRecords.header(kafka.headers(), EventRecords.CONTENT_TYPE);
      Rating rating = parse(payload, type);
      if (rating.getId().isEmpty()) {
        String eventId = EventRecords.header(kafka.headers(), EventRecords.ID);
        if (eventId != null) {
          rating = rating.toBuilder().setId(eventId).build();
        }
      }
      return check(origin, payload, rating);
    } catch (PlatformException refusal) {
      return Arrival.refused(origin, payload, refusal);
    }
  }

  /** One JSON object of a request. */
  public Arrival readJson(byte[] json, Caller caller, Origin origin) {
    try {
      Rating rating = parse(json, "application/json");
      return check(origin, json, rating, caller);
    } catch (PlatformException refusal) {
      return Arrival.refused(origin, json, refusal);
    }
  }

  /** One message of a request. */
  public Arrival readMessage(Rating message, Caller caller, Origin origin) {
    Rating rating = withoutUnknownFields(message);
    return check(origin, message.toByteArray(), rating, caller);
  }

  private Arrival check(Origin origin, byte[] payload, Rating rating, Caller caller) {
    boolean imports = caller.has(Roles.DATA_ENGINEER);
    boolean carriesText =
        !rating.getCompletion().isEmpty()
            || !rating.getPrompt().isEmpty()
            || rating.getChoice().getCompletionsCount() > 0;
    if (carriesText && !imports) {
      return Arrival.refused(
          origin,
          payload,
          rating,
          new PlatformException(
              ErrorCode.ERROR_CODE_TEXT_NOT_ALLOWED,
              "Rated text can be sent with the role data-engineer only; name the generation"
                  + " instead."));
    }
    Rating named = rating;
    if (!imports || rating.getRater().isEmpty()) {
      named = rating.toBuilder().setRater(caller.subject()).build();
    }
    return check(origin, payload, named);
  }

  private Arrival check(Origin origin, byte[] payload, Rating rating) {
    try {
      RatingRules.check(rating, clock.instant());
      return Arrival.taken(origin, payload, withDefaults(rating));
    } catch (PlatformException refusal) {
      return Arrival.refused(origin, payload, rating, refusal);
    }
  }

  private static Rating withDefaults(Rating rating) {
    Rating.Builder filled = rating.toBuilder();
    if (rating.getDataset().isEmpty()) {
      filled.setDataset(RatingRules.DEFAULT_DATASET);
    }
    if (rating.getId().isEmpty()) {
      filled.setId(idOfContent(rating));
    }
    return filled.build();
  }

  /**
   * The id of a rating that has none: SHA-256 of its protobuf form as it came, before any default.
   * The same content is the same rating in JSON and in protobuf, on every path.
   */
  static String idOfContent(Rating rating) {
    return HexFormat.of().formatHex(Digests.newSha256().digest(rating.toByteArray()));
  }

  private static Rating parse(byte[] payload, String contentType) {
    if (payload.length > MAX_RECORD_BYTES) {
      throw new PlatformException(
          ErrorCode.ERROR_CODE_TOO_LARGE,
          "The rating has %d bytes and at most %d are taken."
              .formatted(payload.length, MAX_RECORD_BYTES));
    }
    String type = contentType == null ? "" : contentType.toLowerCase(Locale.ROOT);
    if (type.contains("json")) {
      return RatingJson.parse(payload);
    }
    if (type.contains("protobuf")) {
      return withoutUnknownFields(parseProtobuf(payload));
    }
    return sniff(payload);
  }

  /** Without a content type, an opening brace decides; kcat sends none. */
  private static Rating sniff(byte[] payload) {
    int first = 0;
    while (first < payload.length && payload[first] <= ' ' && payload[first] >= 0) {
      first++;
    }
    if (first == payload.length) {
      throw malformed("The record is empty; send a rating as JSON or protobuf.");
    }
    if (payload[first] == '{') {
      return RatingJson.parse(payload);
    }
    Rating rating;
    try {
      rating = parseProtobuf(payload);
    } catch (PlatformException neither) {
      throw malformed(NEITHER);
    }
    // Much that is no protobuf parses as unknown fields; only a declared type earns that trust.
    if (!rating.getUnknownFields().asMap().isEmpty()) {
      throw malformed(NEITHER);
    }
    return rating;
  }

  private static final String NEITHER =
      "The record is neither a JSON object nor a protobuf Rating; a content-type header helps.";

  private static Rating parseProtobuf(byte[] payload) {
    try {
      return Rating.parseFrom(payload);
    } catch (InvalidProtocolBufferException broken) {
      throw malformed("The record is not a protobuf attune.feedback.v1.Rating.");
    }
  }

  private static Rating withoutUnknownFields(Rating rating) {
    UnknownFieldSet none = UnknownFieldSet.getDefaultInstance();
    Rating.Builder known = rating.toBuilder().setUnknownFields(none);
    if (rating.hasChoice()) {
      known.setChoice(rating.getChoice().toBuilder().setUnknownFields(none));
    }
    if (rating.hasRatedTime()) {
      known.setRatedTime(rating.getRatedTime().toBuilder().setUnknownFields(none));
    }
    return known.build();
  }

  private static PlatformException malformed(String message) {
    return new PlatformException(ErrorCode.ERROR_CODE_MALFORMED, message);
  }
}
