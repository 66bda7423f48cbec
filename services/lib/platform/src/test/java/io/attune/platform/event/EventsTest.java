package io.attune.platform.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.Empty;
import io.attune.common.v1.AdapterVersion;
import io.attune.feedback.v1.Rating;
import io.attune.feedback.v1.RatingAccepted;
import io.attune.platform.error.PlatformException;
import io.attune.platform.identity.Tenant;
import io.attune.serving.v1.AdapterActivated;
import java.time.Instant;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.Test;

class EventsTest {

  private static final RatingAccepted ACCEPTED =
      RatingAccepted.newBuilder()
          .setRating(Rating.newBuilder().setId("r").setConversationId("c"))
          .build();

  @Test
  void everyEventOfTheContractHasATopicAndAKeyThatExists() {
    assertThat(Topics.all())
        .extracting(Topics.Topic::name)
        .containsExactlyInAnyOrder(
            "feedback.ratings.v1",
            "feedback.accepted.v1",
            "feedback.rejected.v1",
            "datasets.snapshots.v1",
            "serving.generations.v1",
            "serving.activations.v1",
            "rollouts.requested.v1",
            "rollouts.completed.v1",
            "rollouts.scored.v1",
            "training.jobs.v1",
            "training.adapters.v1");
    assertThat(Topics.all())
        .filteredOn(Topics.Topic::compacted)
        .extracting(Topics.Topic::name)
        .containsExactly("training.adapters.v1");
  }

  @Test
  void readsTopicAndKeyFromTheContract() {
    var activated =
        AdapterActivated.newBuilder().setAdapter(AdapterVersion.newBuilder().setLine("l")).build();

    assertThat(Events.topic(ACCEPTED.getDescriptorForType())).isEqualTo("feedback.accepted.v1");
    assertThat(Events.key(ACCEPTED)).isEqualTo("c");
    assertThat(Events.key(activated)).isEqualTo("l");
    assertThat(Events.type(ACCEPTED)).isEqualTo("attune.feedback.v1.RatingAccepted");
  }

  @Test
  void refusesWhatIsNoEventOrHasNoKey() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Events.topic(Empty.getDescriptor()))
        .withMessageContaining("google.protobuf.Empty");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Events.key(RatingAccepted.getDefaultInstance()))
        .withMessageContaining("rating.conversation_id");
  }

  @Test
  void whatIsEncodedIsDecoded() {
    var record = record("attune.feedback.v1.RatingAccepted", ACCEPTED.toByteArray());

    assertThat(EventRecords.decode(record, RatingAccepted.class)).isEqualTo(ACCEPTED);
    assertThat(EventRecords.header(record.headers(), EventRecords.ID)).isEqualTo("id");
    assertThat(EventRecords.header(record.headers(), "ce_source")).isEqualTo("/attune/ingestion");
    assertThat(EventRecords.header(record.headers(), "content-type"))
        .isEqualTo("application/protobuf");
  }

  @Test
  void anotherTypeAndBrokenBytesAreMalformed() {
    assertThatThrownBy(
            () -> EventRecords.decode(record("x.Y", ACCEPTED.toByteArray()), RatingAccepted.class))
        .isInstanceOf(PlatformException.class)
        .hasMessageContaining("offset 5");
    assertThatThrownBy(
            () ->
                EventRecords.decode(
                    record("attune.feedback.v1.RatingAccepted", new byte[] {10, 99}),
                    RatingAccepted.class))
        .isInstanceOf(PlatformException.class);
  }

  private static ConsumerRecord<String, byte[]> record(String type, byte[] value) {
    var encoded = EventRecords.encode(Tenant.DEFAULT, ACCEPTED, "id", "ingestion", Instant.EPOCH);
    encoded.headers().remove(EventRecords.TYPE);
    encoded
        .headers()
        .add(EventRecords.TYPE, type.getBytes(java.nio.charset.StandardCharsets.UTF_8));
    return new ConsumerRecord<>(
        encoded.topic(),
        0,
        5,
        0,
        TimestampType.CREATE_TIME,
        0,
        0,
        encoded.key(),
        value,
        encoded.headers(),
        Optional.empty());
  }
}
