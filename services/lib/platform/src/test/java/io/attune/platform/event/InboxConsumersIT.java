package io.attune.platform.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attune.platform.database.TenantTransactions;
import io.attune.testkit.EmbeddedBroker;
import io.attune.testkit.EmbeddedDatabase;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.jdbi.v3.core.Jdbi;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Each record's effect is there exactly once, whatever ends in between. */
class InboxConsumersIT {

  private final String topic = "t-" + UUID.randomUUID();
  private final KafkaClients kafka = clients();
  private final Inbox inbox = new Inbox();
  private Jdbi jdbi;

  @BeforeEach
  void tables() throws IOException {
    jdbi = Jdbi.create(EmbeddedDatabase.create(), EmbeddedDatabase.USER, EmbeddedDatabase.USER);
    try (InputStream script =
        getClass().getResourceAsStream("/db/platform/V0_1__outbox_and_inbox.sql")) {
      String sql = new String(script.readAllBytes(), StandardCharsets.UTF_8);
      jdbi.useHandle(handle -> handle.createScript(sql).execute());
    }
    jdbi.useHandle(handle -> handle.execute("CREATE TABLE seen (value text)"));
  }

  @Test
  void aBatchThatFailsLeavesNothingAndIsReadAgain() throws InterruptedException {
    send(0, 100);
    AtomicInteger failures = new AtomicInteger(3);

    consumeUntil(
        100,
        (tenant, batch) -> {
          InboxConsumers.Effects write = insert(batch);
          return transaction -> {
            write.write(transaction);
            if (failures.getAndDecrement() > 0) {
              throw new IllegalStateException("a crash after the writes and before the commit");
            }
          };
        });

    assertSeenOnce(100);
  }

  @Test
  void aConsumerThatDiesAfterItsCommitIsFollowedWithoutRepeats() throws InterruptedException {
    send(0, 100);
    // Dies between the commit to the database and that to Kafka, which then knows of nothing.
    consumeUntil(
        100,
        (tenant, batch) -> {
          InboxConsumers.Effects write = insert(batch);
          return new InboxConsumers.Effects() {
            @Override
            public void write(org.jdbi.v3.core.Handle transaction) {
              write.write(transaction);
            }

            @Override
            public void committed() {
              throw new IllegalStateException("a crash after the commit");
            }
          };
        });
    send(100, 50);

    consumeUntil(150, (tenant, batch) -> insert(batch));

    assertSeenOnce(150);
  }

  @Test
  void twoConsumersOfAGroupShareTheWork() throws InterruptedException {
    send(0, 300);
    InboxConsumers one = new InboxConsumers(new TenantTransactions(jdbi), inbox, kafka);
    InboxConsumers two = new InboxConsumers(new TenantTransactions(jdbi), inbox, kafka);
    CountDownLatch done = new CountDownLatch(300);
    InboxConsumers.Handler handler = counting(done, (tenant, batch) -> insert(batch));
    one.start(new InboxConsumers.Subscription("g", topic, 1, 10), handler);
    two.start(new InboxConsumers.Subscription("g", topic, 1, 10), handler);

    assertThat(done.await(60, TimeUnit.SECONDS)).isTrue();
    one.onStop(null);
    two.onStop(null);

    assertSeenOnce(300);
  }

  @Test
  void whoHasBeenOvertakenCannotCommit() {
    TopicPartition partition = new TopicPartition(topic, 0);
    jdbi.useTransaction(handle -> inbox.advance(handle, "g", partition, -1, 10));
    jdbi.useTransaction(handle -> inbox.advance(handle, "g", partition, 10, 20));

    assertThatThrownBy(
            () -> jdbi.useTransaction(handle -> inbox.advance(handle, "g", partition, 10, 15)))
        .isInstanceOf(Inbox.FencedException.class);
    assertThatThrownBy(
            () -> jdbi.useTransaction(handle -> inbox.advance(handle, "g", partition, -1, 15)))
        .isInstanceOf(Inbox.FencedException.class);
    Map<TopicPartition, Long> stands =
        jdbi.withHandle(handle -> inbox.positions(handle, "g", List.of(partition)));
    assertThat(stands).containsEntry(partition, 20L);
  }

  private void consumeUntil(int rows, InboxConsumers.Handler handler) throws InterruptedException {
    InboxConsumers consumers = new InboxConsumers(new TenantTransactions(jdbi), inbox, kafka);
    consumers.start(new InboxConsumers.Subscription("g", topic, 2, 7), handler);
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (seen().size() < rows && System.nanoTime() < end) {
      TimeUnit.MILLISECONDS.sleep(50);
    }
    consumers.onStop(null);
  }

  private InboxConsumers.Handler counting(CountDownLatch done, InboxConsumers.Handler handler) {
    return (tenant, batch) -> {
      InboxConsumers.Effects write = handler.read(tenant, batch);
      return new InboxConsumers.Effects() {
        @Override
        public void write(org.jdbi.v3.core.Handle transaction) {
          write.write(transaction);
        }

        @Override
        public void committed() {
          batch.forEach(one -> done.countDown());
        }
      };
    };
  }

  private InboxConsumers.Effects insert(List<ConsumerRecord<String, byte[]>> batch) {
    return transaction ->
        batch.forEach(
            one ->
                transaction.execute(
                    "INSERT INTO seen VALUES (?)",
                    new String(one.value(), StandardCharsets.UTF_8)));
  }

  private void assertSeenOnce(int count) {
    assertThat(seen()).hasSize(count).doesNotHaveDuplicates();
  }

  private List<String> seen() {
    return jdbi.withHandle(
        handle -> handle.createQuery("SELECT value FROM seen").mapTo(String.class).list());
  }

  private void send(int from, int count) {
    try (KafkaProducer<String, byte[]> producer = kafka.producer("test")) {
      for (int i = from; i < from + count; i++) {
        byte[] value = ("v" + i).getBytes(StandardCharsets.UTF_8);
        producer.send(new ProducerRecord<>(topic, "k" + i, value));
      }
    }
  }

  private static KafkaClients clients() {
    var config =
        new SmallRyeConfigBuilder()
            .withDefaultValue("kafka.bootstrap.servers", EmbeddedBroker.shared().bootstrapServers())
            .build();
    return new KafkaClients(config, "test");
  }
}
