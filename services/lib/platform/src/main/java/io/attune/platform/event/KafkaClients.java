package io.attune.platform.event;

import jakarta.enterprise.context.ApplicationScoped;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.eclipse.microprofile.config.Config;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * Plain Kafka clients for the places where offsets live in the database. Keys with the prefix
 * {@code kafka.} are passed on, so that brokers with TLS and SASL need settings only.
 */
@ApplicationScoped
public class KafkaClients {

  private static final String PREFIX = "kafka.";

  /** After which the partitions of a process that was lost go to another one. */
  private static final int SESSION_TIMEOUT_MILLIS = 15_000;

  private final Config config;
  private final String application;

  KafkaClients(
      Config config, @ConfigProperty(name = "quarkus.application.name") String application) {
    this.config = config;
    this.application = application;
  }

  /** A producer that neither loses nor reorders nor repeats within its session. */
  public KafkaProducer<String, byte[]> producer(String purpose) {
    Map<String, Object> settings = shared(purpose);
    settings.put(ProducerConfig.ACKS_CONFIG, "all");
    settings.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
    settings.put(ProducerConfig.LINGER_MS_CONFIG, 5);
    settings.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, 10_000);
    settings.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, 20_000);
    settings.put(ProducerConfig.BATCH_SIZE_CONFIG, 131_072);
    settings.put(ProducerConfig.COMPRESSION_TYPE_CONFIG, "lz4");
    return new KafkaProducer<>(settings, new StringSerializer(), new ByteArraySerializer());
  }

  /**
   * A consumer that commits nothing by itself and reads only what is committed.
   *
   * @param group the consumer group
   * @param maxPollRecords records of one poll at most
   */
  public KafkaConsumer<String, byte[]> consumer(String group, int maxPollRecords) {
    Map<String, Object> settings = shared(group);
    settings.put(ConsumerConfig.GROUP_ID_CONFIG, group);
    settings.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
    settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    settings.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
    settings.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, maxPollRecords);
    settings.put(ConsumerConfig.METADATA_MAX_AGE_CONFIG, 5000);
    settings.put(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG, SESSION_TIMEOUT_MILLIS);
    return new KafkaConsumer<>(settings, new StringDeserializer(), new ByteArrayDeserializer());
  }

  private Map<String, Object> shared(String purpose) {
    Map<String, Object> settings = new HashMap<>();
    for (String name : config.getPropertyNames()) {
      if (name.startsWith(PREFIX)) {
        config
            .getOptionalValue(name, String.class)
            .ifPresent(value -> settings.put(name.substring(PREFIX.length()), value));
      }
    }
    settings.put("bootstrap.servers", config.getValue("kafka.bootstrap.servers", String.class));
    settings.put("client.id", application + "-" + purpose);
    return settings;
  }
}
