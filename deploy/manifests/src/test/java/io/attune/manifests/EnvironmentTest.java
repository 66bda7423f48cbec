package io.attune.manifests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.fasterxml.jackson.databind.JsonNode;
import io.attune.ingestion.IngestionConfig;
import io.attune.reward.RewardConfig;
import io.attune.serving.ServingConfig;
import io.attune.training.TrainingConfig;
import io.smallrye.config.EnvConfigSource;
import io.smallrye.config.SmallRyeConfig;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What the manifests tell services is what services listen to. */
class EnvironmentTest {
  /**
   * Read by Java, its launcher, the C library, OpenMP and DJL, and not as settings; the last by the
   * default of quarkus.otel.exporter.otlp.endpoint.
   */
  static final Set<String> OTHERS =
      Set.of(
          "JAVA_TOOL_OPTIONS",
          "JDK_JAVA_OPTIONS",
          "MALLOC_ARENA_MAX",
          "GOMP_SPINCOUNT",
          "OPT_OUT_TRACKING",
          "DJL_CACHE_DIR",
          "OTEL_EXPORTER_OTLP_ENDPOINT");

  private static final Settings SETTINGS = Settings.all();

  static Stream<Arguments> workloads() {
    return Overlay.all().stream()
        .flatMap(
            overlay ->
                overlay.manifests().workloads().stream()
                    // Other programs' variables are theirs.
                    .filter(workload -> !workload.name().equals("otel-collector"))
                    .map(workload -> arguments(overlay, workload)));
  }

  @ParameterizedTest(name = "{0}: {1}")
  @MethodSource("workloads")
  void everyVariableIsASetting(Overlay overlay, Workload workload) {
    for (JsonNode container : workload.containers()) {
      assertThat(overlay.manifests().environment(container).keySet())
          .filteredOn(name -> !OTHERS.contains(name))
          .allMatch(SETTINGS::contains, "is read by a service, Quarkus or Kafka");
    }
  }

  @Test
  void aVariableThatNobodyReadsIsNoSetting() {
    assertThat(
            Stream.of(
                "ATTUNE_STORAGE_ROT",
                "ATTUNE_TRAINING_WORKER_LAUNCHR",
                "KAFKA_SSL_TRUSTSTORE",
                "QUARKUS_HTTP_SSL_CERTIFICATE_FILE",
                // Fixed when the service is built.
                "QUARKUS_HTTP_ROOT_PATH"))
        .noneMatch(SETTINGS::contains);
  }

  static Stream<Arguments> services() {
    return Overlay.all().stream()
        .flatMap(
            overlay ->
                Stream.of(
                    arguments(overlay, "ingestion", IngestionConfig.class),
                    arguments(overlay, "reward", RewardConfig.class),
                    arguments(overlay, "serving", ServingConfig.class),
                    arguments(overlay, "training", TrainingConfig.class)));
  }

  /** The service's own rules are asked: unknown keys, wrong types and missing ones are errors. */
  @ParameterizedTest(name = "{0}: {1}")
  @MethodSource("services")
  void theServiceTakesItsEnvironment(Overlay overlay, String service, Class<?> settings) {
    SmallRyeConfig config = config(overlay, service, settings);

    assertThat(config.getConfigMapping(settings)).isNotNull();
    assertThat(config.getValue("attune.storage.root", String.class)).startsWith("/");
  }

  /** KafkaClients passes on what it finds by listing names, and not by asking for one. */
  @Test
  void kafkasSettingsAreFoundByTheirNames() {
    SmallRyeConfig config = config(new Overlay("production"), "ingestion", IngestionConfig.class);

    assertThat(config.getPropertyNames())
        .contains(
            "kafka.bootstrap.servers",
            "kafka.security.protocol",
            "kafka.ssl.truststore.location",
            "kafka.ssl.truststore.password",
            "kafka.ssl.keystore.location",
            "kafka.ssl.keystore.password");
  }

  @Test
  void aWorkerMayUseAsManyThreadsAsItHasProcessors() {
    for (Overlay overlay : Overlay.all()) {
      Manifests manifests = overlay.manifests();
      Map<String, String> training =
          manifests.environment(manifests.workload("training").containers().get(0));
      JsonNode worker = manifests.workload("training-worker").containers().get(0);

      assertThat(training)
          .as(overlay.name())
          .containsEntry("ATTUNE_THREADS", worker.at("/resources/limits/cpu").asText());
    }
  }

  /** Both processes open a job's folder, the base model and snapshots by one path. */
  @Test
  void aWorkerSeesTheVolumesWhereTheServiceSeesThem() {
    for (Overlay overlay : Overlay.all()) {
      Manifests manifests = overlay.manifests();
      assertThat(claims(manifests.workload("training-worker")))
          .as(overlay.name())
          .containsAllEntriesOf(claims(manifests.workload("training")));
    }
  }

  private static Map<String, String> claims(Workload workload) {
    Map<String, String> claims = new TreeMap<>();
    for (JsonNode volume : workload.pod().path("volumes")) {
      for (JsonNode mount : workload.containers().get(0).path("volumeMounts")) {
        if (volume.has("persistentVolumeClaim") && mount.path("name").equals(volume.path("name"))) {
          claims.put(
              volume.at("/persistentVolumeClaim/claimName").asText(),
              mount.path("mountPath").asText());
        }
      }
    }
    return claims;
  }

  private static SmallRyeConfig config(Overlay overlay, String service, Class<?> settings) {
    Manifests manifests = overlay.manifests();
    JsonNode container = manifests.workload(service).containers().get(0);
    return new SmallRyeConfigBuilder()
        .addDefaultInterceptors()
        .addDiscoveredConverters()
        .withMapping(settings)
        .withSources(new EnvConfigSource(manifests.environment(container), 300))
        .build();
  }
}
