package io.attune.acceptance.chaos;

import io.attune.acceptance.chaos.TestRating.Answer;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * An application that sends ratings. It sends each until it knows that it has arrived, which is
 * more often than it arrives for the first time: like many a program, it lets nobody number its
 * attempts.
 */
final class RatingFeed implements AutoCloseable {
  static final String CLIENT = "an-application";
  private static final int RATINGS_OF_A_CALL = 5;
  private static final int REPEATED_PERCENT = 5;
  private static final int TRIES = 200;

  private final KafkaProducer<String, byte[]> application;
  private final KafkaProducer<String, byte[]> poisoner;
  private final HttpClient http =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(Duration.ofSeconds(5))
          .build();
  private final URI door;
  private final String token;
  private final Random random;
  private final Map<String, TestRating> sent = new LinkedHashMap<>();
  private final List<Pill> pills = new ArrayList<>();
  private final AtomicLong acknowledged = new AtomicLong();
  private List<TestRating> carried = new ArrayList<>();

  /**
   * @param kafka the port at which acknowledgements get lost
   * @param kafkaInPeace the one at which they do not
   * @param ingestion the port of HTTP at which answers get lost
   */
  RatingFeed(long seed, int kafka, int kafkaInPeace, int ingestion, String token) {
    this.random = new Random(seed);
    this.application = producer(kafka, false);
    this.poisoner = producer(kafkaInPeace, true);
    this.door = URI.create("http://127.0.0.1:%d/v1/feedback".formatted(ingestion));
    this.token = token;
  }

  private static KafkaProducer<String, byte[]> producer(int port, boolean idempotent) {
    Map<String, Object> settings = new HashMap<>();
    settings.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, "127.0.0.1:" + port);
    settings.put(ProducerConfig.CLIENT_ID_CONFIG, CLIENT);
    settings.put(ProducerConfig.ACKS_CONFIG, "all");
    settings.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, idempotent);
    settings.put(ProducerConfig.BATCH_SIZE_CONFIG, 4096);
    settings.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, 5000);
    settings.put(ProducerConfig.RECONNECT_BACKOFF_MS_CONFIG, 10);
    settings.put(ProducerConfig.RETRY_BACKOFF_MS_CONFIG, 10);
    return new KafkaProducer<>(settings, new StringSerializer(), new ByteArraySerializer());
  }

  /** Everything that was sent, by its id; each is to count once. */
  Map<String, TestRating> sent() {
    return Collections.unmodifiableMap(sent);
  }

  /** Every pill that was sent. */
  List<Pill> pills() {
    return Collections.unmodifiableList(pills);
  }

  /** How many ratings are known to have arrived by Kafka. */
  long acknowledged() {
    return acknowledged.get();
  }

  /**
   * Sends ratings, repeats of some, generations that earlier ones wait for, and pills.
   *
   * @param ratings new ones
   * @param poison how many pills
   */
  void send(List<TestRating> ratings, int poison) {
    ratings.forEach(one -> sent.put(one.id(), one));
    List<TestRating> before = carried;
    carried = new ArrayList<>();
    List<ProducerRecord<String, byte[]>> generations = new ArrayList<>();
    before.stream()
        .filter(one -> one.answer() == Answer.GENERATION_AFTER)
        .forEach(one -> generations.add(one.generation()));
    List<ProducerRecord<String, byte[]>> records = new ArrayList<>();
    before.forEach(one -> records.add(one.toRecord()));
    for (TestRating one : ratings) {
      if (one.answer() != Answer.OWN_BY_CALL) {
        records.add(one.toRecord());
      }
      if (one.answer() == Answer.GENERATION_BEFORE) {
        generations.add(one.generation());
      }
      if (one.answer() == Answer.GENERATION_AFTER || random.nextInt(100) < REPEATED_PERCENT) {
        carried.add(one);
      }
    }
    Collections.shuffle(records, random);
    swallow(poison);
    sendAll(generations);
    List<TestRating> byCall =
        ratings.stream().filter(one -> one.answer() == Answer.OWN_BY_CALL).toList();
    int calls = (byCall.size() + RATINGS_OF_A_CALL - 1) / RATINGS_OF_A_CALL;
    int share = calls == 0 ? records.size() : (records.size() + calls - 1) / calls;
    for (int i = 0; i < Math.max(calls, 1); i++) {
      sendAll(part(records, i * share, share));
      if (i < calls) {
        call(part(byCall, i * RATINGS_OF_A_CALL, RATINGS_OF_A_CALL));
      }
    }
  }

  /** Sends what earlier ratings still wait for. */
  void finish() {
    send(List.of(), 0);
  }

  /** Calls once more with a rating that has arrived long ago. */
  void repeatByCall() {
    call(List.of(sent.values().iterator().next()));
  }

  private static <T> List<T> part(List<T> of, int from, int size) {
    return of.subList(Math.min(from, of.size()), Math.min(from + size, of.size()));
  }

  private void swallow(int poison) {
    List<Future<RecordMetadata>> swallowed = new ArrayList<>();
    for (int i = 0; i < poison; i++) {
      Pill pill = new Pill(pills.size());
      pills.add(pill);
      swallowed.add(poisoner.send(pill.toRecord()));
    }
    for (Future<RecordMetadata> one : swallowed) {
      if (!arrived(one)) {
        // It may have arrived all the same; sending it again would make it two pills.
        throw new AssertionError("a pill was not acknowledged within two minutes");
      }
    }
  }

  private void sendAll(List<ProducerRecord<String, byte[]>> records) {
    List<ProducerRecord<String, byte[]>> open = records;
    for (int i = 0; !open.isEmpty(); i++) {
      if (i == TRIES) {
        throw new AssertionError(open.size() + " records do not arrive");
      }
      List<Future<RecordMetadata>> sending = open.stream().map(application::send).toList();
      application.flush();
      List<ProducerRecord<String, byte[]>> failed = new ArrayList<>();
      for (int k = 0; k < sending.size(); k++) {
        if (arrived(sending.get(k))) {
          acknowledged.incrementAndGet();
        } else {
          failed.add(open.get(k));
        }
      }
      open = failed;
    }
  }

  private static boolean arrived(Future<RecordMetadata> sending) {
    try {
      sending.get();
      return true;
    } catch (ExecutionException failed) {
      return false;
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(interrupted);
    }
  }

  private void call(List<TestRating> ratings) {
    String lines = ratings.stream().map(one -> one.json() + "\n").collect(Collectors.joining());
    HttpRequest request =
        HttpRequest.newBuilder(door)
            .timeout(Duration.ofSeconds(10))
            .header("Authorization", "Bearer " + token)
            .header("Content-Type", "application/x-ndjson")
            .POST(HttpRequest.BodyPublishers.ofString(lines))
            .build();
    boolean taken = IntStream.range(0, TRIES).anyMatch(i -> answered(request, i));
    if (!taken) {
      throw new AssertionError("ingestion does not take ratings by HTTP");
    }
  }

  private boolean answered(HttpRequest request, int tries) {
    try {
      int status = http.send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
      if (status / 100 == 4) {
        throw new AssertionError("ratings were refused by HTTP with status " + status);
      }
      if (status != 200) {
        backOff(tries);
      }
      return status == 200;
    } catch (IOException lost) {
      backOff(tries);
      return false;
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(interrupted);
    }
  }

  /** As clients do: at once after the first failure, which may be a lost answer, then slower. */
  private static void backOff(int tries) {
    try {
      Thread.sleep(Math.min(500L * tries, 2000));
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(interrupted);
    }
  }

  @Override
  public void close() {
    application.close(Duration.ofSeconds(5));
    poisoner.close(Duration.ofSeconds(5));
  }
}
