package io.attune.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.checkpoint.AdapterFiles;
import io.attune.engine.checkpoint.TensorReader;
import io.attune.engine.checkpoint.TensorType;
import io.attune.serving.v1.Generation;
import io.attune.training.v1.RolloutCompleted;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A policy learns online through all four services, twice from the same seed: once undisturbed, and
 * once while processes are killed. What it writes on the way is the same, word for word, and what
 * it learns is too, but for rounding: the last bits of a log-probability depend on the answers that
 * a replica writes beside it.
 *
 * <p>The property {@code online.kills} names the processes, each of which is killed once; profile
 * {@code chaos} names all of them.
 */
class OnlineST {
  private static final Duration LIMIT = Duration.ofMinutes(10);
  private static final int ANSWERS = 64;
  private static final int CHUNKS = ANSWERS / 16;
  private static final int PROMPTS = 160;
  private static final Path MODEL =
      AttuneProcess.home().resolve("services/lib/engine/src/test/resources/golden/models/llama");
  private static final List<String> KILLS =
      List.of(System.getProperty("online.kills", "worker,serving-2").split(","));
  private static final int ROUNDS = KILLS.size() + 3;

  /** Weights are about 0.1. */
  private static final double ROUNDING = 1e-5;

  @TempDir Path folder;

  @Test
  void killedProcessesCostTimeAlone() throws Exception {
    Path data = folder.resolve("data");
    try (AttuneProcess attune =
        AttuneProcess.start(
            "up",
            "--serving-replicas",
            "2",
            "--model",
            MODEL.toString(),
            "--data",
            data.toString())) {
      PlatformCalls calls = calls(attune, data);
      calls.rate(ratings());
      JsonNode reward =
          calls.await(
              calls.create("{\"line\":\"reward\",\"reward\":{}," + arguments(60, 8, 1) + "}"),
              LIMIT,
              OnlineST::isFinal);
      assertThat(reward.path("state").asText()).as("%s", reward).isEqualTo("STATE_RELEASED");

      String calm = calls.create(spec("calm"));
      JsonNode undisturbed = calls.await(calm, LIMIT, OnlineST::isFinal);
      assertThat(replicas(calls, calm)).containsExactly("serving", "serving-2");

      String stormy = calls.create(spec("stormy"));
      for (int i = 0; i < KILLS.size(); i++) {
        int step = i + 1;
        JsonNode seen = calls.await(stormy, LIMIT, job -> step(job) >= step || isFinal(job));
        assertThat(isFinal(seen)).as("ended before the last kill: %s", seen).isFalse();
        process(data, KILLS.get(i)).destroyForcibly();
      }
      JsonNode disturbed = calls.await(stormy, LIMIT, OnlineST::isFinal);

      assertComplete(calls, calm, undisturbed, "calm");
      assertComplete(calls, stormy, disturbed, "stormy");
      assertThat(answers(calls, stormy)).isEqualTo(answers(calls, calm));
      assertThat(weights(data, disturbed))
          .containsExactly(weights(data, undisturbed), within(ROUNDING));
      assertNothingStays(data);
    }
  }

  private static PlatformCalls calls(AttuneProcess attune, Path data) throws Exception {
    attune.await("the platform runs", LIMIT);
    String ingestion = second(attune.await("ingestion   http", LIMIT));
    String training = second(attune.await("training    http", LIMIT));
    String kafka = second(attune.await("Kafka       ", LIMIT));
    return new PlatformCalls(data, ingestion, training, kafka);
  }

  private static String second(String line) {
    return line.strip().split(" +")[1];
  }

  /** To each prompt one answer is praised and one is not. */
  private static String ratings() {
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < PROMPTS; i++) {
      lines.append(rating(i, "yes yes yes", 0.9)).append(rating(i, "no no no", 0.1));
    }
    return lines.toString();
  }

  private static String rating(int prompt, String completion, double score) {
    return "{\"rater\":\"ann\",\"prompt\":\"question %d\",\"completion\":\"%s\",\"score\":%s}\n"
        .formatted(prompt, completion, score);
  }

  private static String spec(String line) {
    return """
    {"line":"%s","ppo":{"num_ppo_epochs":1,"num_generations":4},
    "rollouts":{"max_completion_length":8,"temperature":0.8},%s}
    """
        .formatted(line, arguments(ROUNDS, 16, ANSWERS / 16));
  }

  private static String arguments(int steps, int batch, int accumulation) {
    return """
    "lora":{"r":4,"lora_alpha":8},
    "arguments":{"learning_rate":0.01,"per_device_train_batch_size":%d,
    "gradient_accumulation_steps":%d,"max_steps":%d,"max_length":64,"seed":1}\
    """
        .formatted(batch, accumulation, steps);
  }

  private static boolean isFinal(JsonNode job) {
    return Set.of("STATE_RELEASED", "STATE_REFUSED", "STATE_FAILED")
        .contains(job.path("state").asText());
  }

  private static int step(JsonNode job) {
    return job.path("progress").path("step").asInt();
  }

  private static ProcessHandle process(Path data, String name) throws Exception {
    return name.equals("worker")
        ? AttuneProcess.part(data, "training").children().findFirst().orElseThrow()
        : AttuneProcess.part(data, name);
  }

  private static Set<String> replicas(PlatformCalls calls, String job) {
    return calls.rollouts(job).stream()
        .filter(one -> one.getPurpose().equals("round"))
        .map(RolloutCompleted::getReplica)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /** Every round took place, with every chunk, and made one version. */
  private static void assertComplete(PlatformCalls calls, String id, JsonNode job, String line)
      throws Exception {
    assertThat(job.path("state").asText()).as("%s", job).isIn("STATE_RELEASED", "STATE_REFUSED");
    assertThat(step(job)).isEqualTo(ROUNDS);
    assertThat(calls.versions(line)).isEqualTo(1);
    assertThat(calls.versions(line + ".rollouts")).isEqualTo(ROUNDS);
    assertThat(answers(calls, id)).hasSize(ROUNDS * CHUNKS);
  }

  /** What was written, by round and chunk; of repeats the first. */
  private static Map<String, List<String>> answers(PlatformCalls calls, String job) {
    Map<String, List<String>> answers = new TreeMap<>();
    for (RolloutCompleted one : calls.rollouts(job)) {
      String[] id = one.getRolloutId().split("/");
      if (one.getPurpose().equals("round")) {
        answers.putIfAbsent(
            id[2] + "/" + id[3],
            one.getGenerationsList().stream().map(Generation::getCompletion).toList());
      }
    }
    return answers;
  }

  /** All weights of the adapter that a job made, by their names. */
  private static double[] weights(Path data, JsonNode job) throws Exception {
    Path adapter =
        data.resolve("storage/adapters").resolve(job.path("candidate").path("sha256").asText());
    List<Double> weights = new ArrayList<>();
    try (TensorReader file = AdapterFiles.open(adapter).openWeights()) {
      for (String name : new TreeSet<>(file.names())) {
        assertThat(file.info(name).type()).isEqualTo(TensorType.F32);
        FloatBuffer values = file.data(name).asFloatBuffer();
        while (values.hasRemaining()) {
          weights.add((double) values.get());
        }
      }
    }
    assertThat(weights).isNotEmpty();
    return weights.stream().mapToDouble(weight -> weight).toArray();
  }

  /** Tokens and policies of rounds are deleted with their jobs: three adapters stay. */
  private static void assertNothingStays(Path data) {
    Path adapters = data.resolve("storage/adapters");
    await("three adapters alone")
        .atMost(Duration.ofMinutes(1))
        .untilAsserted(
            () -> {
              assertThat(published(data.resolve("storage/rollouts"))).isEmpty();
              assertThat(published(adapters)).hasSize(3);
            });
  }

  private static List<Path> published(Path collection) throws Exception {
    try (Stream<Path> entries = Files.list(collection)) {
      return entries.filter(one -> !one.endsWith(".staging")).toList();
    }
  }
}
