package io.attune.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** The attune command, run as the attune script runs it. */
final class AttuneProcess implements AutoCloseable {
  private final Process process;
  private final BufferedReader output;
  private final List<String> seen = new ArrayList<>();

  private AttuneProcess(Process process) {
    this.process = process;
    this.output = process.inputReader(StandardCharsets.UTF_8);
  }

  static AttuneProcess start(String... arguments) throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "-Dattune.home=" + home(),
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                "-cp",
                System.getProperty("java.class.path"),
                "io.attune.launcher.Attune"));
    command.addAll(Arrays.asList(arguments));
    return new AttuneProcess(new ProcessBuilder(command).redirectErrorStream(true).start());
  }

  /** The checkout. */
  static Path home() {
    Path folder = Path.of("").toAbsolutePath();
    while (!Files.exists(folder.resolve("mvnw"))) {
      folder = folder.getParent();
    }
    return folder;
  }

  Process process() {
    return process;
  }

  /** Reads on until a line holds the text. */
  String await(String text) throws IOException {
    String line;
    while ((line = output.readLine()) != null) {
      seen.add(line);
      if (line.contains(text)) {
        return line;
      }
    }
    throw new AssertionError("ended without saying \"" + text + "\":\n" + String.join("\n", seen));
  }

  /** Reads to the end and gives everything that was said. */
  String awaitEnd() throws IOException, InterruptedException {
    String line;
    while ((line = output.readLine()) != null) {
      seen.add(line);
    }
    process.waitFor();
    return String.join("\n", seen);
  }

  /** Every process that the launcher is responsible for. */
  List<ProcessHandle> responsibleFor(Path data) throws IOException {
    long postmaster =
        Long.parseLong(Files.readAllLines(data.resolve("postgres/postmaster.pid")).get(0).strip());
    List<ProcessHandle> all =
        Stream.concat(process.descendants(), ProcessHandle.of(postmaster).stream())
            .distinct()
            .toList();
    // Kafka, four services, PostgreSQL and its guard.
    assertThat(all).hasSizeGreaterThanOrEqualTo(7);
    return all;
  }

  /** The process of a service, by its jar. */
  ProcessHandle service(String name) {
    return process
        .descendants()
        .filter(p -> p.info().commandLine().orElse("").contains("services/" + name + "/"))
        .findFirst()
        .orElseThrow();
  }

  @Override
  public void close() throws InterruptedException {
    process.destroy();
    process.waitFor();
  }
}
