package io.attune.launcher.local;

import java.nio.file.Path;
import java.util.Map;

/**
 * How the platform is set up on this machine.
 *
 * @param home the checkout, whose services have been built
 * @param data the data folder
 * @param model the base model's folder
 * @param servingReplicas processes of serving, which share the rollouts; at least 1
 * @param issuer who issues tokens
 * @param services more configuration of each service, by its name
 */
public record Settings(
    Path home,
    Path data,
    Path model,
    int servingReplicas,
    IssuerKind issuer,
    Map<String, Map<String, String>> services) {
  /** As many as may share the processors of a machine in earnest. */
  public static final int MAX_SERVING_REPLICAS = 8;

  /**
   * @throws LauncherException when there are too few or too many replicas
   */
  public Settings {
    if (servingReplicas < 1 || servingReplicas > MAX_SERVING_REPLICAS) {
      throw new LauncherException(
          "1 to "
              + MAX_SERVING_REPLICAS
              + " replicas of serving can be started, not "
              + servingReplicas);
    }
    home = home.toAbsolutePath().normalize();
    data = data.toAbsolutePath().normalize();
    model = model.toAbsolutePath().normalize();
    services = Map.copyOf(services);
  }
}
