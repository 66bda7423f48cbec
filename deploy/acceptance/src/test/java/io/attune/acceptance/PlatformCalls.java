package io.attune.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attune.launcher.local.Tokens;
import io.attune.platform.event.EventRecords;
import io.attune.platform.event.Events;
import io.attune.training.v1.RolloutCompleted;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Predicate;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.awaitility.Awaitility;

/** What a user asks of a running platform, over HTTP and Kafka. */
final class PlatformCalls {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final HttpClient http =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(Duration.ofSeconds(5))
          .build();
  private final String ingestion;
  private final String training;
  private final String bootstrap;
  private final String token;

  /**
   * @param ingestion URL
   * @param training URL
   */
  PlatformCalls(Path data, String ingestion, String training, String bootstrap) {
    this.ingestion = ingestion;
    this.training = training;
    this.bootstrap = bootstrap;
    this.token = Tokens.of(data).mint("acceptance", List.of("data-engineer", "trainer", "viewer"));
  }

  /** Sends ratings, a JSON object a line. */
  void rate(String lines) throws Exception {
    HttpResponse<String> response =
        send(
            request(ingestion + "/v1/feedback")
                .header("Content-Type", "application/x-ndjson")
                .POST(HttpRequest.BodyPublishers.ofString(lines)));
    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
  }

  /** Creates a job; its id. */
  String create(String spec) throws Exception {
    String body = "{\"request_id\":\"" + UUID.randomUUID() + "\",\"spec\":" + spec + "}";
    HttpResponse<String> response =
        send(
            request(training + "/v1/training/jobs")
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body)));
    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    return JSON.readTree(response.body()).get("id").textValue();
  }

  /** Looks at a job until it is as wanted. A service that is away is asked again. */
  JsonNode await(String id, Duration limit, Predicate<JsonNode> wanted) {
    return Awaitility.await("job " + id)
        .atMost(limit)
        .ignoreExceptionsInstanceOf(IOException.class)
        .until(() -> job(id), wanted);
  }

  /** A job as it is; empty while training cannot say. */
  private JsonNode job(String id) throws IOException, InterruptedException {
    HttpResponse<String> response = send(request(training + "/v1/training/jobs/" + id).GET());
    return response.statusCode() == 200
        ? JSON.readTree(response.body())
        : JSON.createObjectNode().put("said", response.body());
  }

  /** Versions of a line. */
  int versions(String line) throws Exception {
    HttpResponse<String> response = send(request(training + "/v1/adapters/" + line).GET());
    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    return JSON.readTree(response.body()).path("adapters").size();
  }

  /** Every chunk that serving has answered for a job, repeats included. */
  List<RolloutCompleted> rollouts(String job) {
    List<RolloutCompleted> found = new ArrayList<>();
    try (KafkaConsumer<String, byte[]> reader =
        new KafkaConsumer<>(
            Map.of("bootstrap.servers", bootstrap, "enable.auto.commit", "false"),
            new StringDeserializer(),
            new ByteArrayDeserializer())) {
      List<TopicPartition> partitions =
          reader.partitionsFor(Events.topic(RolloutCompleted.getDescriptor())).stream()
              .map(one -> new TopicPartition(one.topic(), one.partition()))
              .toList();
      reader.assign(partitions);
      reader.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = reader.endOffsets(partitions);
      while (ends.entrySet().stream()
          .anyMatch(end -> reader.position(end.getKey()) < end.getValue())) {
        for (ConsumerRecord<String, byte[]> one : reader.poll(Duration.ofMillis(200))) {
          RolloutCompleted completed = EventRecords.decode(one, RolloutCompleted.class);
          if (completed.getJobId().equals(job)) {
            found.add(completed);
          }
        }
      }
    }
    return found;
  }

  private HttpRequest.Builder request(String url) {
    return HttpRequest.newBuilder(URI.create(url))
        .timeout(Duration.ofSeconds(30))
        .header("Authorization", "Bearer " + token);
  }

  private HttpResponse<String> send(HttpRequest.Builder request)
      throws IOException, InterruptedException {
    return http.send(request.build(), HttpResponse.BodyHandlers.ofString());
  }
}
