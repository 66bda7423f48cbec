package io.attune.acceptance.chaos;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.attune.platform.event.EventRecords;
import io.attune.platform.event.Topics;
import org.apache.kafka.clients.producer.ProducerRecord;

/** A record on the ratings' topic that can never be a rating; no two are equal. */
record Pill(int number) {
  private static final int TOO_LARGE = 600 * 1024;

  ProducerRecord<String, byte[]> toRecord() {
    var poison = new ProducerRecord<String, byte[]>(Topics.RATINGS, "pill-" + number, value());
    if (number % 8 == 5) {
      poison.headers().add(EventRecords.CONTENT_TYPE, EventRecords.PROTOBUF.getBytes(UTF_8));
    }
    return poison;
  }

  private byte[] value() {
    String rest = "\"id\":\"pill-" + number + "\",\"rater\":\"ann\",\"completion\":\"x\"";
    return switch (number % 8) {
      case 0 -> ("pill " + number + " is no JSON").getBytes(UTF_8);
      case 1 -> ("{" + rest + ",\"score\":7}").getBytes(UTF_8);
      case 2 -> ("{" + rest + ",\"score\":0.5,\"unknown\":1}").getBytes(UTF_8);
      case 3 -> ("{" + rest + ",\"score\":0.5").getBytes(UTF_8);
      case 4 -> ("{" + rest + ",\"prompt\":\"\u00ff\",\"score\":0.5}").getBytes(ISO_8859_1);
      case 5 -> ("\u0007pill " + number + " is no protobuf").getBytes(UTF_8);
      case 6 ->
          ("{" + rest + ",\"prompt\":\"" + "x".repeat(TOO_LARGE) + "\",\"score\":0.5}")
              .getBytes(UTF_8);
      default -> ("{" + rest + ",\"score\":0.5,\"thumb\":\"THUMB_UP\"}").getBytes(UTF_8);
    };
  }
}
