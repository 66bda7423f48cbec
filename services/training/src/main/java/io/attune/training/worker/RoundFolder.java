package io.attune.training.worker;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.attune.training.v1.RolloutScored;
import io.attune.training.v1.RolloutTokens;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A round's folder within a job's: the worker puts its policy and its question there, the service
 * the answers. Question and answers appear whole, and stay, so that a worker that begins again
 * finds the answers that it had.
 */
public record RoundFolder(Path root) {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String QUESTION = "question.json";
  private static final String ANSWERS = "answers.binpb";

  /** A chunk of answers: what they are worth, and their tokens. */
  public record Chunk(RolloutScored scored, RolloutTokens tokens) {}

  static RoundFolder of(Path rounds, int round) {
    return new RoundFolder(rounds.resolve(Integer.toString(round)));
  }

  /** The round with the highest number that has a question; empty before the first. */
  static Optional<RoundFolder> newest(Path rounds) {
    if (!Files.isDirectory(rounds)) {
      return Optional.empty();
    }
    try (Stream<Path> folders = Files.list(rounds)) {
      return folders
          .filter(folder -> Files.exists(folder.resolve(QUESTION)))
          .max(Comparator.comparingInt(folder -> Integer.parseInt(folder.getFileName().toString())))
          .map(RoundFolder::new);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot list " + rounds, e);
    }
  }

  /** The policy that is to write, in PEFT's layout, once there is a question. */
  public Path policy() {
    return root.resolve("adapter");
  }

  boolean isAsked() {
    return Files.exists(root.resolve(QUESTION));
  }

  /** Asks; the policy is there before. */
  void ask(RoundQuestion question) {
    write(QUESTION, out -> JSON.writeValue(out, question));
  }

  public RoundQuestion question() {
    try {
      return JSON.readValue(root.resolve(QUESTION).toFile(), RoundQuestion.class);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read the question in " + root, e);
    }
  }

  public boolean isAnswered() {
    return Files.exists(root.resolve(ANSWERS));
  }

  /** Answers; the chunks in order. */
  public void answer(List<Chunk> chunks) {
    write(
        ANSWERS,
        out -> {
          for (Chunk chunk : chunks) {
            chunk.scored().writeDelimitedTo(out);
            chunk.tokens().writeDelimitedTo(out);
          }
        });
  }

  List<Chunk> answers() {
    List<Chunk> chunks = new ArrayList<>();
    try (InputStream in = Files.newInputStream(root.resolve(ANSWERS))) {
      for (RolloutScored scored = RolloutScored.parseDelimitedFrom(in);
          scored != null;
          scored = RolloutScored.parseDelimitedFrom(in)) {
        chunks.add(new Chunk(scored, RolloutTokens.parseDelimitedFrom(in)));
      }
      return chunks;
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read the answers in " + root, e);
    }
  }

  private interface Content {
    void write(OutputStream out) throws IOException;
  }

  private void write(String name, Content content) {
    Path temporary = root.resolve(name + ".tmp");
    try {
      Files.createDirectories(root);
      try (OutputStream out = Files.newOutputStream(temporary)) {
        content.write(out);
      }
      try (FileChannel file = FileChannel.open(temporary, StandardOpenOption.WRITE)) {
        file.force(true);
      }
      Files.move(temporary, root.resolve(name), StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + root.resolve(name), e);
    }
  }
}
