package io.attune.launcher;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * SIGTERM in the middle of a computation. A process that ends there may crash, so that one has to
 * be seen to wait.
 */
class SignalTest {
  private static final Path LLAMA =
      Path.of("../../services/lib/engine/src/test/resources/golden/models/llama");

  private static final int TERMINATED = 128 + 15;

  @TempDir Path folder;
  private Path model;
  private Path text;

  /** The tiny model, for texts of any length. */
  @BeforeEach
  void write() throws IOException {
    model = Files.createDirectory(folder.resolve("model"));
    for (String name : List.of("model.safetensors", "tokenizer.json", "tokenizer_config.json")) {
      Files.copy(LLAMA.resolve(name), model.resolve(name));
    }
    ObjectMapper json = new ObjectMapper();
    ObjectNode config = (ObjectNode) json.readTree(LLAMA.resolve("config.json").toFile());
    config.put("max_position_embeddings", 1 << 20);
    json.writeValue(model.resolve("config.json").toFile(), config);
    text = folder.resolve("text.txt");
    Files.writeString(text, "The parcel left our warehouse. ".repeat(2048));
  }

  @Test
  void aCallIsNotBrokenOff() throws Exception {
    assertThat(terminate(SignalledMain.LONG_CALL)).containsExactly(SignalledMain.COMPUTED);
  }

  @Test
  void aCommandEndsAfterTheCallThatRuns() throws Exception {
    List<String> said =
        terminate(
            "evaluate",
            "--model",
            model.toString(),
            "--task",
            "perplexity",
            "--data",
            text.toString(),
            "--max-length",
            "8192");
    assertThat(said).as("no result").isEmpty();
  }

  @Test
  void aTrainingRunEndsAfterItsStep() throws Exception {
    List<String> said =
        terminate(
            "train",
            "--model",
            model.toString(),
            "--data",
            text.toString(),
            "--out",
            folder.resolve("run").toString(),
            "--objective",
            "cpt",
            "--method",
            "lora",
            "-p",
            "max_length=4096",
            "-p",
            "per_device_train_batch_size=1");
    assertThat(said)
        .anyMatch(line -> line.startsWith("step="))
        .anyMatch(line -> line.contains("the same command goes on from its newest checkpoint"));
    try (Stream<Path> files = Files.list(folder.resolve("run"))) {
      assertThat(files).anyMatch(file -> file.getFileName().toString().startsWith("checkpoint-"));
    }
  }

  /** Runs a command until it computes, sends SIGTERM, and returns what it still says. */
  private List<String> terminate(String... arguments) throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Dai.djl.offline=true",
                "-cp",
                absolute(System.getProperty("java.class.path")),
                SignalledMain.class.getName()));
    command.addAll(List.of(arguments));
    Path err = folder.resolve("err");
    Process process =
        new ProcessBuilder(command).directory(folder.toFile()).redirectError(err.toFile()).start();
    List<String> said = new ArrayList<>();
    try (BufferedReader out = process.inputReader()) {
      String line = out.readLine();
      while (line != null && !line.equals(SignalledMain.COMPUTING)) {
        line = out.readLine();
      }
      assertThat(line).as(Files.readString(err)).isNotNull();
      process.toHandle().destroy(); // SIGTERM; Process.destroy would close its output, too
      out.lines().forEach(said::add);
    }
    assertThat(process.waitFor()).as(Files.readString(err)).isEqualTo(TERMINATED);
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files).as("crash files").noneMatch(f -> f.toString().contains("hs_err"));
    }
    return said;
  }

  private static String absolute(String classPath) {
    List<String> parts = new ArrayList<>();
    for (String part : classPath.split(java.io.File.pathSeparator)) {
      parts.add(Path.of(part).toAbsolutePath().toString());
    }
    return String.join(java.io.File.pathSeparator, parts);
  }
}
