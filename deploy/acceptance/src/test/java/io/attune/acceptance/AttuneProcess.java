package io.attune.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** The attune command, run as the attune script runs it. */
public final class AttuneProcess implements AutoCloseable {
  private final Process process;
  private final BlockingQueue<Optional<String>> lines = new LinkedBlockingQueue<>();
  private final List<String> seen = new ArrayList<>();

  private AttuneProcess(Process process) {
    this.process = process;
    Thread reader = new Thread(this::read, "output");
    reader.setDaemon(true);
    reader.start();
  }

  static AttuneProcess start(String... arguments) throws IOException {
    return start(Map.of(), arguments);
  }

  /**
   * Starts it.
   *
   * @param environment what it has beside this process's own
   */
  static AttuneProcess start(Map<String, String> environment, String... arguments)
      throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "-Dattune.home=" + home(),
                "-Dattune.keycloak=" + System.getProperty("attune.keycloak"),
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                "-cp",
                System.getProperty("java.class.path"),
                "io.attune.launcher.Attune"));
    command.addAll(Arrays.asList(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().putAll(environment);
    return new AttuneProcess(builder.start());
  }

  /** The checkout. */
  public static Path home() {
    Path folder = Path.of("").toAbsolutePath();
    while (!Files.exists(folder.resolve("mvnw"))) {
      folder = folder.getParent();
    }
    return folder;
  }

  Process process() {
    return process;
  }

  private void read() {
    try (BufferedReader output = process.inputReader(StandardCharsets.UTF_8)) {
      output.lines().map(Optional::of).forEach(lines::add);
    } catch (UncheckedIOException | IOException e) {
      // Killed: what it has said stays.
    } finally {
      lines.add(Optional.empty());
    }
  }

  /** Reads on until a line holds the text. */
  String await(String text, Duration limit) throws InterruptedException {
    long end = System.nanoTime() + limit.toNanos();
    while (true) {
      Optional<String> line = lines.poll(end - System.nanoTime(), TimeUnit.NANOSECONDS);
      if (line == null) {
        throw new AssertionError("not said within " + limit + ": \"" + text + "\":\n" + said());
      } else if (line.isEmpty()) {
        throw new AssertionError("ended without saying \"" + text + "\":\n" + said());
      }
      seen.add(line.get());
      if (line.get().contains(text)) {
        return line.get();
      }
    }
  }

  /** Waits for its end and gives everything that it said. */
  String awaitEnd(Duration limit) throws InterruptedException {
    boolean ended = process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS);
    for (Optional<String> line = next(ended); line.isPresent(); line = next(ended)) {
      seen.add(line.get());
    }
    assertThat(ended).as("ended within " + limit + ":\n" + said()).isTrue();
    return said();
  }

  private Optional<String> next(boolean ended) throws InterruptedException {
    if (ended) {
      return lines.take();
    }
    Optional<String> line = lines.poll();
    return line == null ? Optional.empty() : line;
  }

  private String said() {
    return String.join("\n", seen);
  }

  /** The process of Kafka, PostgreSQL or a service, by the launcher's pid file. */
  static ProcessHandle part(Path data, String name) throws IOException {
    Path file = data.resolve("logs/" + name + ".pid");
    return ProcessHandle.of(Long.parseLong(Files.readAllLines(file).get(0).strip())).orElseThrow();
  }

  /** Every process that the launcher is responsible for. */
  List<ProcessHandle> responsibleFor(Path data) throws IOException {
    ProcessHandle postgres = part(data, "postgres");
    List<ProcessHandle> all =
        Stream.of(process.descendants(), Stream.of(postgres), postgres.descendants())
            .flatMap(stream -> stream)
            .distinct()
            .toList();
    // Kafka, four services, PostgreSQL and its guard.
    assertThat(all).hasSizeGreaterThanOrEqualTo(7);
    return all;
  }

  @Override
  public void close() throws InterruptedException {
    process.destroy();
    process.waitFor();
  }
}
