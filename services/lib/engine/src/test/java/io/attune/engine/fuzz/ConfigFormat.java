package io.attune.engine.fuzz;

import io.attune.engine.Golden;
import io.attune.engine.checkpoint.HubLayout;
import io.attune.engine.model.Architecture;
import io.attune.engine.model.Models;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** {@code config.json}, up to the names and shapes of all weights. */
public final class ConfigFormat implements Format {
  @Override
  public String name() {
    return "config";
  }

  @Override
  public List<byte[]> seeds() throws IOException {
    return List.of(
        Files.readAllBytes(Golden.path("models/llama/config.json")),
        Files.readAllBytes(Golden.path("models/llama-rope3/config.json")));
  }

  @Override
  public void read(byte[] file, Path folder) throws IOException {
    Files.write(folder.resolve("config.json"), file);
    Architecture architecture =
        Models.architecture(
            HubLayout.of(folder).config(), folder.resolve("config.json").toString());
    architecture.parameters();
    architecture.linears();
    architecture.constants();
  }
}
