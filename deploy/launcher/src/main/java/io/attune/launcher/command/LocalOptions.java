package io.attune.launcher.command;

import io.attune.engine.checkpoint.HubLayout;
import io.attune.engine.model.ModelConfig;
import io.attune.engine.model.Models;
import io.attune.launcher.local.IssuerKind;
import io.attune.launcher.local.LauncherException;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** What `up` and `demo` have in common. */
final class LocalOptions {
  @Option(
      names = "--model",
      paramLabel = "DIR",
      description = "Base model, a Hugging Face folder. Default: the bundled one.")
  private Path model;

  @Option(
      names = "--serving-replicas",
      paramLabel = "N",
      description =
          "Processes of serving, which share rollouts by partitions. The first takes callers."
              + " Default: 1; for a demo that learns in rounds 2.")
  private Integer servingReplicas;

  @Option(
      names = "--keycloak",
      description = "Let a real Keycloak issue the tokens, and not the launcher.")
  private boolean keycloak;

  /** The checkout, which the attune script names. */
  static Path home() {
    String home = System.getProperty("attune.home");
    if (home == null) {
      throw new LauncherException("start this by the attune script in the checkout");
    }
    return Path.of(home);
  }

  /** The folder, of a model that the services can load: refused here, before any of them starts. */
  Path model() {
    Path folder = model != null ? model : home().resolve("deploy/quickstart/model");
    config(folder);
    return folder;
  }

  /** Processes of serving. */
  int servingReplicas(int absent) {
    return servingReplicas == null ? absent : servingReplicas;
  }

  /** Who issues tokens. */
  IssuerKind issuer() {
    return keycloak ? IssuerKind.KEYCLOAK : IssuerKind.BUILT_IN;
  }

  /** The width of the model's residual stream. */
  int hiddenSize() {
    return config(model()).hiddenSize();
  }

  private static ModelConfig config(Path folder) {
    HubLayout layout = HubLayout.of(folder);
    return Models.architecture(layout.config(), folder.resolve("config.json").toString()).config();
  }
}
