package io.attune.training;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.Timestamp;
import com.google.protobuf.util.JsonFormat;
import io.attune.common.v1.ErrorCode;
import io.attune.platform.error.PlatformException;
import java.time.Instant;

/** Messages as JSON with the field names of the contract: in REST and in the database. */
public final class Messages {
  private static final JsonFormat.Printer PRINTER =
      JsonFormat.printer().preservingProtoFieldNames().omittingInsignificantWhitespace();

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
          "The JSON is not a " + builder.getDescriptorForType().getName() + ": " + e.getMessage());
    }
  }

  /** A moment as protobuf has it. */
  public static Timestamp timestamp(Instant time) {
    return Timestamp.newBuilder()
        .setSeconds(time.getEpochSecond())
        .setNanos(time.getNano())
        .build();
  }
}
