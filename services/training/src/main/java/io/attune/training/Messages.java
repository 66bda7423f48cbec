package io.attune.training;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.Timestamp;
import com.google.protobuf.util.JsonFormat;
import io.attune.common.v1.ErrorCode;
import io.attune.platform.error.PlatformException;
import java.time.Instant;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Messages as JSON with the field names of the contract: in REST and in the database. */
public final class Messages {
  private static final JsonFormat.Printer PRINTER =
      JsonFormat.printer().preservingProtoFieldNames().omittingInsignificantWhitespace();

  private static final Pattern UNKNOWN_FIELD =
      Pattern.compile("^Cannot find field: (\\w{1,64}) in message ");
  private static final Pattern PLACE = Pattern.compile("at line (\\d+) column (\\d+)");

  private Messages() {}

  /** The message as one line of JSON. */
  public static String toJson(Message message) {
    try {
      return PRINTER.print(message);
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("a message of the contract has no JSON form", e);
    }
  }

  /**
   * Reads JSON into a builder.
   *
   * @throws PlatformException MALFORMED, naming the field, when it is not this message
   */
  public static <B extends Message.Builder> B fromJson(String json, B builder) {
    try {
      JsonFormat.parser().merge(json, builder);
      return builder;
    } catch (InvalidProtocolBufferException e) {
      throw new PlatformException(
          ErrorCode.ERROR_CODE_MALFORMED,
          "The JSON is not a " + builder.getDescriptorForType().getName() + where(e) + ".");
    }
  }

  /** The parser's own words quote the input; of them, only what names a place in it. */
  private static String where(InvalidProtocolBufferException refused) {
    Matcher field = UNKNOWN_FIELD.matcher(String.valueOf(refused.getMessage()));
    if (field.find()) {
      return ": it has no field `" + field.group(1) + "`";
    }
    Matcher place = PLACE.matcher(String.valueOf(refused.getMessage()));
    return place.find()
        ? ": see line %s, column %s".formatted(place.group(1), place.group(2))
        : ": a value has the wrong type, or a field stands twice";
  }

  /** A moment as protobuf has it. */
  public static Timestamp timestamp(Instant time) {
    return Timestamp.newBuilder()
        .setSeconds(time.getEpochSecond())
        .setNanos(time.getNano())
        .build();
  }
}
