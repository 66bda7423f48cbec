package io.attune.serving;

import io.attune.platform.line.LineSwitch;
import io.attune.platform.line.LoadedVersions;
import io.attune.platform.line.ServedLines;
import io.attune.platform.quota.QuotaConfig.Limits;
import io.attune.platform.quota.Quotas;
import io.attune.platform.quota.RateLimit;
import io.attune.platform.time.Ids;
import io.attune.serving.generate.Admission;
import io.attune.serving.generate.AnswerMetrics;
import io.attune.serving.generate.Answering;
import io.attune.serving.generate.Generator;
import io.attune.serving.generate.Generator.LoadedAdapter;
import io.attune.serving.generate.Models;
import io.micrometer.core.instrument.MeterRegistry;
import jakarta.enterprise.inject.Disposes;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Optional;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/** Puts the parts of serving together. */
public final class ServingBeans {

  @Produces
  @Singleton
  Admission admission(ServingConfig config, Quotas quotas) {
    return new Admission(
        config.maxConcurrent(),
        config.maxQueue(),
        config.rolloutShare(),
        tenant -> quotas.limit(tenant, Limits::concurrentAnswers));
  }

  @Produces
  @Singleton
  ServedLines<LoadedAdapter> lines() {
    return new ServedLines<>();
  }

  void close(@Disposes ServedLines<LoadedAdapter> lines) {
    lines.close();
  }

  @Produces
  @Singleton
  LoadedVersions<LoadedAdapter> candidates(
      ServingConfig config,
      ServedLines<LoadedAdapter> lines,
      LineSwitch.Loader<LoadedAdapter> loader) {
    return new LoadedVersions<>(config.maxCandidates(), lines, loader);
  }

  void close(@Disposes LoadedVersions<LoadedAdapter> candidates) {
    candidates.close();
  }

  @Produces
  @Singleton
  Models models(
      ServingConfig config,
      @ConfigProperty(name = "attune.base-model") Path folder,
      @ConfigProperty(name = "attune.base-model-name") Optional<String> name,
      ServedLines<LoadedAdapter> lines,
      LoadedVersions<LoadedAdapter> candidates) {
    String baseName = name.orElseGet(() -> folder.toAbsolutePath().getFileName().toString());
    return new Models(baseName, config.defaultLine(), lines, candidates);
  }

  @Produces
  @Singleton
  AnswerMetrics metrics(MeterRegistry registry, Admission admission) {
    return new AnswerMetrics(registry, admission);
  }

  @Produces
  @Singleton
  Answering answering(
      Generator generator,
      Models models,
      Admission admission,
      AnswerMetrics metrics,
      Quotas quotas,
      Clock clock,
      Ids ids) {
    var tokens =
        new RateLimit(tenant -> quotas.limit(tenant, Limits::tokensPerMinute), "tokens", clock);
    return new Answering(generator, models, admission, metrics, tokens, clock, ids);
  }
}
