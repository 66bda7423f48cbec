package io.attune.ingestion.rating;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.attune.common.v1.ErrorCode;
import io.attune.feedback.v1.Rating;
import io.attune.feedback.v1.Thumb;
import io.attune.ingestion.rating.Arrival.Origin;
import io.attune.platform.identity.Caller;
import io.attune.platform.identity.Roles;
import io.attune.platform.identity.Tenant;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RatingReaderTest {

  private static final Clock CLOCK =
      Clock.fixed(Instant.parse("2026-01-31T12:00:00Z"), ZoneOffset.UTC);
  private static final Origin REST = new Origin("rest", "", 0, 0, CLOCK.instant(), null);
  private static final Caller RATER = new Caller("ann", Set.of(Roles.RATER), Tenant.DEFAULT);
  private static final Caller ENGINEER =
      new Caller("eve", Set.of(Roles.DATA_ENGINEER), Tenant.DEFAULT);

  private final RatingReader reader = new RatingReader(CLOCK);

  @Test
  void readsALineOfJson() {
    Arrival arrival =
        read(
            """
            {"id":"r1","rater":"ann","generation_id":"g1","score":0.25,"rated_time":"2026-01-01T00:00:00.5+01:00"}
            """);

    assertThat(arrival.refusal()).isNull();
    assertThat(arrival.rating().getId()).isEqualTo("r1");
    assertThat(arrival.rating().getScore()).isEqualTo(0.25);
    assertThat(arrival.rating().getDataset()).isEqualTo("default");
    assertThat(arrival.rating().getRatedTime().getSeconds())
        .isEqualTo(Instant.parse("2025-12-31T23:00:00Z").getEpochSecond());
  }

  @Test
  void readsAChoiceAndACorrection() {
    Rating choice =
        read("{\"choice\":{\"completions\":[\"a\",\"b\"],\"chosen\":1},\"prompt\":\"p\"}").rating();
    Rating correction = read("{\"completion\":\"a\",\"correction\":\"b\"}").rating();

    assertThat(choice.getChoice().getChosen()).isEqualTo(1);
    assertThat(correction.getCorrection()).isEqualTo("b");
  }

  @Test
  void readsProtobufWithAndWithoutItsContentType() {
    Rating rating =
        Rating.newBuilder().setId("r1").setGenerationId("g1").setThumb(Thumb.THUMB_UP).build();

    assertThat(read(rating.toByteArray(), "application/protobuf", null).rating().getThumb())
        .isEqualTo(Thumb.THUMB_UP);
    assertThat(read(rating.toByteArray(), null, null).rating().getThumb())
        .isEqualTo(Thumb.THUMB_UP);
  }

  @Test
  void takesTheIdFromTheRatingThenTheEventThenTheContent() {
    String bare = "{\"completion\":\"a\",\"score\":1}";

    assertThat(read("{\"id\":\"r\",\"completion\":\"a\",\"score\":1}".getBytes(UTF_8), null, "e"))
        .extracting(arrival -> arrival.rating().getId())
        .isEqualTo("r");
    assertThat(read(bare.getBytes(UTF_8), null, "e").rating().getId()).isEqualTo("e");
    assertThat(read(bare).rating().getId()).hasSize(64);
  }

  @Test
  void theSameContentHasTheSameIdInEveryForm() {
    Rating message = Rating.newBuilder().setCompletion("a").setScore(1).build();

    String ofJson = read("{\"completion\":\"a\",\"score\":1}").rating().getId();

    assertThat(read(" { \"score\" : 1.0, \"completion\" : \"\\u0061\" } ").rating().getId())
        .isEqualTo(ofJson);
    assertThat(read(message.toByteArray(), "application/protobuf", null).rating().getId())
        .isEqualTo(ofJson);
    assertThat(read("{\"completion\":\"a\",\"score\":0.5}").rating().getId()).isNotEqualTo(ofJson);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "   ",
        "not json",
        "{",
        "{\"score\":1",
        "{\"completion\":\"a\",\"score\":1}{}",
        "{\"completion\":\"a\",\"score\":1,}",
        "{\"completion\":\"a\",\"score\":1,\"score\":0}",
        "{\"completion\":\"a\",\"scroe\":1}",
        "{\"completion\":\"a\",\"score\":NaN}",
        "{\"completion\":\"a\",\"score\":01}",
        "{\"completion\":\"a\",\"choice\":{\"x\":1}}",
        "[{\"completion\":\"a\",\"score\":1}]",
        "{\"completion\":\"a\nb\",\"score\":1}",
      })
  void whatCannotBeParsedIsMalformed(String payload) {
    assertThat(read(payload).refusal().code()).isEqualTo(ErrorCode.ERROR_CODE_MALFORMED);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"completion\":\"a\"}|one of score",
        "{\"score\":1}|exactly one of generation_id",
        "{\"generation_id\":\"g\",\"completion\":\"a\",\"score\":1}|exactly one of generation_id",
        "{\"generation_id\":\"g\",\"prompt\":\"a\",\"score\":1}|prompt",
        "{\"completion\":\"a\",\"score\":1.01}|score",
        "{\"completion\":\"a\",\"score\":-0.01}|score",
        "{\"completion\":\"a\",\"score\":1e999}|score",
        "{\"completion\":\"a\",\"score\":\"1\"}|score",
        "{\"completion\":\"a\",\"score\":1,\"thumb\":\"THUMB_UP\"}|only one",
        "{\"completion\":\"a\",\"thumb\":\"UP\"}|thumb",
        "{\"completion\":\"a\",\"correction\":\"\"}|correction",
        "{\"completion\":7,\"score\":1}|completion",
        "{\"completion\":\"\\ud800\",\"score\":1}|completion",
        "{\"id\":\"a\\u0000\",\"completion\":\"a\",\"score\":1}|id",
        "{\"dataset\":\"../x\",\"completion\":\"a\",\"score\":1}|dataset",
        "{\"rated_time\":\"yesterday\",\"completion\":\"a\",\"score\":1}|rated_time",
        "{\"rated_time\":\"2999-01-01T00:00:00Z\",\"completion\":\"a\",\"score\":1}|rated_time",
        "{\"choice\":{\"completions\":[\"a\"],\"chosen\":0}}|choice",
        "{\"choice\":{\"completions\":[\"a\",\"b\"],\"chosen\":2}}|choice.chosen",
        "{\"choice\":{\"completions\":[\"a\",\"b\"],\"generation_ids\":[\"c\",\"d\"]}}|choice",
        "{\"choice\":{\"generation_ids\":[\"c\",\"c\"],\"chosen\":0}}|twice",
      })
  void whatIsOutOfRangeIsAnInvalidArgumentThatNamesTheField(String payload, String named) {
    var refusal = read(payload).refusal();

    assertThat(refusal.code()).isEqualTo(ErrorCode.ERROR_CODE_INVALID_ARGUMENT);
    assertThat(refusal.getMessage()).contains(named);
  }

  @Test
  void tooLargeIsTooLarge() {
    String text = "x".repeat(TextRules.MAX_TEXT_BYTES + 1);

    assertThat(read("{\"completion\":\"" + text + "\",\"score\":1}").refusal().code())
        .isEqualTo(ErrorCode.ERROR_CODE_TOO_LARGE);
    assertThat(read("{".repeat(RatingReader.MAX_RECORD_BYTES + 1)).refusal().code())
        .isEqualTo(ErrorCode.ERROR_CODE_TOO_LARGE);
  }

  @Test
  void aTextOfTheLargestSizeIsTaken() {
    String text = "x".repeat(TextRules.MAX_TEXT_BYTES);

    assertThat(read("{\"completion\":\"" + text + "\",\"score\":1}").refusal()).isNull();
  }

  @Test
  void deepNestingIsRefusedBeforeItIsFollowed() {
    String deep = "{\"choice\":" + "[".repeat(100_000);

    assertThat(read(deep).refusal()).isNotNull();
    assertThat(read("{\"choice\":{\"completions\":" + "[".repeat(100_000)).refusal().code())
        .isIn(ErrorCode.ERROR_CODE_MALFORMED, ErrorCode.ERROR_CODE_INVALID_ARGUMENT);
  }

  @Test
  void badUtf8IsRefusedInBothForms() {
    byte[] json = "{\"completion\":\"?\",\"score\":1}".getBytes(UTF_8);
    json[15] = (byte) 0xC3;
    byte[] protobuf = {0x3A, 1, (byte) 0xC3, 0x49, 0, 0, 0, 0, 0, 0, 0, 0};

    assertThat(read(json, null, null).refusal().code()).isEqualTo(ErrorCode.ERROR_CODE_MALFORMED);
    assertThat(read(protobuf, "application/protobuf", null).refusal().code())
        .isEqualTo(ErrorCode.ERROR_CODE_MALFORMED);
  }

  @Test
  void aNullValueIsMalformed() {
    assertThat(read(null, null, null).refusal().code()).isEqualTo(ErrorCode.ERROR_CODE_MALFORMED);
  }

  @Test
  void noBytesWhateverMakeItThrow() {
    Random random = new Random(1);
    byte[] seed =
        "{\"id\":\"r1\",\"choice\":{\"completions\":[\"a\",\"b\"],\"chosen\":1}}".getBytes(UTF_8);
    for (int i = 0; i < 20_000; i++) {
      byte[] payload = i % 2 == 0 ? seed.clone() : new byte[random.nextInt(200)];
      if (i % 2 == 0) {
        payload[random.nextInt(payload.length)] = (byte) random.nextInt(256);
      } else {
        random.nextBytes(payload);
      }
      Arrival arrival = read(payload, i % 3 == 0 ? "application/protobuf" : null, null);
      assertThat(arrival.rating() == null).isNotEqualTo(arrival.refusal() == null);
    }
  }

  @Test
  void refusalsNeverQuoteWhatWasSent() {
    String secret = "Mustermann";

    assertThat(read("{\"completion\":\"" + secret + "\",\"score\":" + secret + "}").refusal())
        .hasMessageNotContaining(secret);
    assertThat(read("{\"my " + secret + "\":1}").refusal()).hasMessageNotContaining(secret);
  }

  @Test
  void onlyDataEngineersSendText() {
    byte[] json = "{\"rater\":\"bob\",\"completion\":\"a\",\"score\":1}".getBytes(UTF_8);

    assertThat(reader.readJson(json, RATER, REST).refusal().code())
        .isEqualTo(ErrorCode.ERROR_CODE_TEXT_NOT_ALLOWED);
    assertThat(reader.readJson(json, ENGINEER, REST).rating().getRater()).isEqualTo("bob");
  }

  @Test
  void theRaterIsTheTokensSubject() {
    byte[] json = "{\"rater\":\"bob\",\"generation_id\":\"g\",\"score\":1}".getBytes(UTF_8);

    assertThat(reader.readJson(json, RATER, REST).rating().getRater()).isEqualTo("ann");
  }

  private Arrival read(String payload) {
    return read(payload.getBytes(UTF_8), null, null);
  }

  private Arrival read(byte[] payload, String contentType, String eventId) {
    RecordHeaders headers = new RecordHeaders();
    if (contentType != null) {
      headers.add("content-type", contentType.getBytes(UTF_8));
    }
    if (eventId != null) {
      headers.add("ce_id", eventId.getBytes(UTF_8));
    }
    return reader.read(
        new ConsumerRecord<>(
            "feedback.ratings.v1",
            0,
            7,
            0L,
            TimestampType.CREATE_TIME,
            0,
            0,
            null,
            payload,
            headers,
            Optional.empty()));
  }
}
