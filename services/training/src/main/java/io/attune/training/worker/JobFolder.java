package io.attune.training.worker;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** A job's folder: the one thing that a service and its worker share. Files appear whole. */
public record JobFolder(Path root) {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** What the worker is told. */
  public void writeOrder(WorkerOrder order) {
    write("job.json", JSON.valueToTree(order).toPrettyString());
  }

  public WorkerOrder readOrder() {
    return read("job.json", WorkerOrder.class);
  }

  /** Ends the worker's work: a folder with a result needs no worker any more. */
  public void writeResult(WorkerResult result) {
    write("result.json", JSON.valueToTree(result).toPrettyString());
  }

  /** The result; empty while the work is not done. */
  public Optional<WorkerResult> readResult() {
    return Files.exists(root.resolve("result.json"))
        ? Optional.of(read("result.json", WorkerResult.class))
        : Optional.empty();
  }

  /** The ids of the ratings that became rows, one a line. */
  public Path ratings() {
    return root.resolve("ratings.txt");
  }

  /** Rows to train on. */
  public Path rows() {
    return root.resolve("rows.jsonl");
  }

  /** Held-out prompts to answer, one in JSON a line. */
  public Path prompts() {
    return root.resolve("prompts.jsonl");
  }

  /** A round of a job that learns online. */
  public RoundFolder round(int number) {
    return RoundFolder.of(root.resolve("rounds"), number);
  }

  /** The newest round that was asked for; empty before the first. */
  public Optional<RoundFolder> newestRound() {
    return RoundFolder.newest(root.resolve("rounds"));
  }

  /** Checkpoints and metrics, as the engine lays them out. */
  public Path run() {
    return root.resolve("run");
  }

  /** The adapter as the engine wrote it, once training has ended. */
  public Path trained() {
    return run();
  }

  /** The adapter in PEFT's layout, once there is a result: exactly what is published. */
  public Path adapter() {
    return root.resolve("adapter");
  }

  /** What the worker logs. */
  public Path log() {
    return root.resolve("worker.log");
  }

  /** Works in this folder, once no other process does. */
  public void alone(Runnable work) throws IOException {
    Path held = root.resolve("lock");
    try (FileChannel file =
        FileChannel.open(held, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      // Given back when the file is closed, and by the operating system when this process ends.
      file.lock();
      work.run();
    }
  }

  /** Writes lines to a file that appears whole or not at all. */
  public void writeLines(Path file, List<String> lines) {
    write(file.getFileName().toString(), String.join("\n", lines) + (lines.isEmpty() ? "" : "\n"));
  }

  /** Deletes the folder; what cannot be deleted stays. */
  public void delete() {
    if (!Files.exists(root)) {
      return;
    }
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot delete the job folder " + root, e);
    }
  }

  private <T> T read(String name, Class<T> type) {
    try {
      return JSON.readValue(root.resolve(name).toFile(), type);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + root.resolve(name), e);
    }
  }

  private void write(String name, String text) {
    Path temporary = root.resolve(name + ".tmp");
    try {
      Files.createDirectories(root);
      Files.writeString(temporary, text);
      try (FileChannel file = FileChannel.open(temporary, StandardOpenOption.WRITE)) {
        file.force(true);
      }
      Files.move(temporary, root.resolve(name), StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + root.resolve(name), e);
    }
  }
}
