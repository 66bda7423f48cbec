package io.attune.launcher.demo;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attune.launcher.local.LauncherException;
import io.attune.platform.event.Topics;
import io.attune.serving.v1.Generation;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.StringSerializer;

/** Writes ratings as any application would: lines of JSON into the public topic. */
final class RatingStream implements AutoCloseable {
  private static final String TOPIC = Topics.RATINGS;
  private static final ObjectMapper JSON = new ObjectMapper();

  private final KafkaProducer<String, String> producer;
  private final List<Future<RecordMetadata>> sent = new ArrayList<>();

  RatingStream(String bootstrap) {
    producer =
        new KafkaProducer<>(
            Map.of(
                ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
                bootstrap,
                ProducerConfig.ACKS_CONFIG,
                "all",
                ProducerConfig.LINGER_MS_CONFIG,
                20),
            new StringSerializer(),
            new StringSerializer());
  }

  /** Sends a score; {@link #flush} waits until it is written. */
  void send(Generation answer, String rater, double score) {
    Map<String, Object> rating = new LinkedHashMap<>();
    rating.put("id", answer.getGenerationId() + "/" + rater);
    rating.put("generation_id", answer.getGenerationId());
    rating.put("rater", rater);
    rating.put("score", score);
    try {
      String line = JSON.writeValueAsString(rating);
      sent.add(producer.send(new ProducerRecord<>(TOPIC, answer.getConversationId(), line)));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a rating cannot be written as JSON", e);
    }
  }

  /** Waits until every rating sent is stored by the broker; fails if one could not be. */
  void flush() throws InterruptedException {
    producer.flush();
    try {
      for (Future<RecordMetadata> one : sent) {
        one.get();
      }
    } catch (ExecutionException e) {
      throw new LauncherException("a rating could not be written to " + TOPIC, e.getCause());
    }
    sent.clear();
  }

  @Override
  public void close() {
    producer.close();
  }
}
