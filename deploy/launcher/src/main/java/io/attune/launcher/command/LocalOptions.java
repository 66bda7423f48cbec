package io.attune.launcher.command;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attune.launcher.local.LauncherException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** What `up` and `demo` have in common. */
final class LocalOptions {
  @Option(
      names = "--model",
      paramLabel = "DIR",
      description = "Base model, a Hugging Face folder. Default: the bundled one.")
  private Path model;

  /** The checkout, which the attune script names. */
  static Path home() {
    String home = System.getProperty("attune.home");
    if (home == null) {
      throw new LauncherException("start this by the attune script in the checkout");
    }
    return Path.of(home);
  }

  Path model() {
    Path folder = model != null ? model : home().resolve("deploy/quickstart/model");
    if (!Files.exists(folder.resolve("config.json"))) {
      throw new LauncherException(folder + " holds no model: config.json is missing");
    }
    return folder;
  }

  /** The width of the model's residual stream, from its config.json. */
  int hiddenSize() {
    Path config = model().resolve("config.json");
    try {
      JsonNode size = new ObjectMapper().readTree(config.toFile()).path("hidden_size");
      if (!size.isInt() || size.asInt() < 1) {
        throw new LauncherException(config + " says no hidden_size; the demo needs a Llama model");
      }
      return size.asInt();
    } catch (IOException e) {
      throw new LauncherException(config + " cannot be read", e);
    }
  }
}
