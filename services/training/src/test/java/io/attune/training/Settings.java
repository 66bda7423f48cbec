package io.attune.training;

import io.smallrye.config.SmallRyeConfigBuilder;
import java.util.Map;

/** Settings as a service reads them, without a service. */
final class Settings {
  private Settings() {}

  /** The defaults, and what a test sets. */
  static TrainingConfig with(Map<String, String> settings) {
    return new SmallRyeConfigBuilder()
        .addDefaultInterceptors()
        .addDiscoveredConverters()
        .withDefaultValue("attune.storage.root", "/storage")
        .withDefaultValues(settings)
        .withMapping(TrainingConfig.class)
        .build()
        .getConfigMapping(TrainingConfig.class);
  }
}
