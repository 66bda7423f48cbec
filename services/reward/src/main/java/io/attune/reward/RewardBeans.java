package io.attune.reward;

import io.attune.platform.line.LoadedVersions;
import io.attune.platform.line.ServedLines;
import jakarta.enterprise.inject.Disposes;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;

/** Puts the parts of reward together. */
public final class RewardBeans {

  @Produces
  @Singleton
  ServedLines<Scorer.Model> lines() {
    return new ServedLines<>();
  }

  void close(@Disposes ServedLines<Scorer.Model> lines) {
    lines.close();
  }

  @Produces
  @Singleton
  LoadedVersions<Scorer.Model> versions(
      RewardConfig config, ServedLines<Scorer.Model> lines, ModelLoader loader) {
    return new LoadedVersions<>(config.maxVersions(), lines, loader);
  }

  void close(@Disposes LoadedVersions<Scorer.Model> versions) {
    versions.close();
  }
}
