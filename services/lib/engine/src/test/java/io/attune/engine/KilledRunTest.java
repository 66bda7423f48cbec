package io.attune.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.report.EventReader;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SortedMap;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A run that is killed again and again, at seeded moments and while it writes a checkpoint, ends
 * with the bytes of one that was left alone: weights, optimizer state, metrics.
 *
 * <p>The property {@code kills} says how often; profile {@code chaos} sets more of them.
 */
class KilledRunTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int KILLS = Integer.getInteger("kills", 2);
  private static final int STEPS = 20 + 4 * KILLS;

  /** Starts after which a checkpoint must have been met half-written. */
  private static final int TRIES = 20;

  @TempDir Path folder;
  private Path rows;
  private String objective;

  @ParameterizedTest
  @ValueSource(strings = {"dpo", "ppo"})
  void aKilledRunEndsWithTheSameBytes(String objective) throws Exception {
    List<String> lines = new ArrayList<>();
    for (var row : Golden.json("preferences.json")) {
      ObjectNode line = JSON.createObjectNode();
      line.put("prompt", row.get("prompt").asText() + "\n");
      line.set("chosen", row.get("chosen"));
      line.set("rejected", row.get("rejected"));
      lines.add(line.toString());
    }
    this.rows = Files.write(folder.resolve("pairs.jsonl"), lines);
    this.objective = objective;
    Path whole = folder.resolve("whole");
    runToTheEnd(whole);

    Path killed = folder.resolve("killed");
    Random random = new Random(1);
    for (int kill = 0; kill < KILLS; kill++) {
      Process child = start(killed);
      awaitSteps(child, 1 + random.nextInt(3));
      LockSupport.parkNanos(random.nextInt(20_000_000));
      kill(child);
    }
    for (int kill = 0, tries = 0; kill < (KILLS + 1) / 2; tries++) {
      assertThat(tries).as("starts").isLessThan(TRIES);
      Process child = start(killed);
      awaitHalfWritten(child, killed);
      kill(child);
      kill += halfWritten(killed).isEmpty() ? 0 : 1; // it may have been faster than the signal
    }
    runToTheEnd(killed);

    assertThat(halfWritten(killed)).isEmpty();
    for (String file :
        List.of(
            "adapter_model.safetensors", "checkpoint-" + STEPS + "/training_state.safetensors")) {
      assertThat(killed.resolve(file)).hasSameBinaryContentAs(whole.resolve(file));
    }
    assertThat(withoutClock(killed)).hasSize(STEPS).isEqualTo(withoutClock(whole));
    assertThat(EventReader.files(killed.resolve("runs"))).hasSizeGreaterThan(KILLS);
    assertThat(curves(killed)).hasSizeGreaterThan(5).isEqualTo(curves(whole));
  }

  /** What TensorBoard shows. */
  private static Map<String, ? extends Map<Long, Float>> curves(Path out) throws IOException {
    Map<String, SortedMap<Long, Float>> curves = EventReader.curves(out.resolve("runs"));
    curves.keySet().removeAll(List.of("train/tokens_per_second", "train/peak_memory_bytes"));
    return curves;
  }

  private Process start(Path out) throws IOException {
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    ProcessBuilder builder =
        new ProcessBuilder(
            java,
            "-Xmx256m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-cp",
            System.getProperty("java.class.path"),
            KilledRun.class.getName(),
            Golden.path("models/llama").toString(),
            rows.toString(),
            out.toString(),
            Integer.toString(STEPS),
            objective);
    return builder.redirectError(ProcessBuilder.Redirect.DISCARD).start();
  }

  private void runToTheEnd(Path out) throws Exception {
    Process child = start(out);
    child.getInputStream().readAllBytes();
    assertThat(child.waitFor()).isZero();
  }

  private static void awaitSteps(Process child, int count) throws IOException {
    BufferedReader output =
        new BufferedReader(new InputStreamReader(child.getInputStream(), StandardCharsets.UTF_8));
    for (int seen = 0; seen < count; ) {
      String line = output.readLine();
      assertThat(line).as("the run ended before it was killed").isNotNull();
      seen += line.startsWith("step ") ? 1 : 0;
    }
  }

  private static void awaitHalfWritten(Process child, Path out) throws IOException {
    List<Path> old = halfWritten(out); // of the run before; the next one removes it
    while (old.containsAll(halfWritten(out))) {
      assertThat(child.isAlive()).as("the run ended before it was killed").isTrue();
    }
  }

  private static void kill(Process child) throws InterruptedException {
    child.destroyForcibly().waitFor(); // SIGKILL
  }

  private static List<Path> halfWritten(Path out) throws IOException {
    try (Stream<Path> files = Files.list(out)) {
      return files
          .filter(file -> file.getFileName().toString().startsWith(".checkpoint-"))
          .toList();
    }
  }

  private static List<ObjectNode> withoutClock(Path out) throws IOException {
    List<ObjectNode> lines = new ArrayList<>();
    for (String line : Files.readAllLines(out.resolve("metrics.jsonl"))) {
      ObjectNode metrics = (ObjectNode) JSON.readTree(line);
      lines.add(metrics.remove(List.of("tokens_per_second", "peak_memory_bytes")));
    }
    return lines;
  }
}
