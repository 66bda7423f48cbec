package io.attune.launcher.local;

import java.nio.file.Path;
import java.util.Map;

/**
 * How the platform is set up on this machine.
 *
 * @param home the checkout, whose services have been built
 * @param data the data folder
 * @param model the base model's folder
 * @param services more configuration of each service, by its name
 */
public record Settings(
    Path home, Path data, Path model, Map<String, Map<String, String>> services) {
  public Settings {
    home = home.toAbsolutePath().normalize();
    data = data.toAbsolutePath().normalize();
    model = model.toAbsolutePath().normalize();
    services = Map.copyOf(services);
  }
}
