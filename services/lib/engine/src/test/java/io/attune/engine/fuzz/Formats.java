package io.attune.engine.fuzz;

import io.attune.engine.EngineException;
import io.attune.engine.train.CheckpointFormat;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Every format that is read from strangers. */
public final class Formats {
  private Formats() {}

  public static List<Format> all() {
    return List.of(
        new SafeTensorsFormat(),
        new ShardIndexFormat(),
        new ConfigFormat(),
        new TokenizerFormat(),
        new TokenizerConfigFormat(),
        new ChatTemplateFormat(),
        new AdapterFormat(),
        new CheckpointFormat());
  }

  /** For fuzzers that judge by what is thrown: a refusal is as good as an acceptance. */
  static void attack(Format format, byte[] file) {
    try {
      format.read(file, Files.createDirectories(Path.of("target/fuzz/jazzer", format.name())));
    } catch (EngineException e) {
      Outcomes.requireReadable(e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
