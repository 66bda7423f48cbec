package io.attune.manifests.schema;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.fasterxml.jackson.databind.node.ArrayNode;
import io.attune.manifests.Manifest;
import io.attune.manifests.Overlay;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class SchemaTest {
  private static final List<Schema> LIBRARIES =
      List.of(
          new Fabric8Models(), new ClientJavaModels(), new NetworkntSchemas(), new SkemaSchemas());

  static Stream<Arguments> documents() {
    return Overlay.all().stream()
        .flatMap(
            overlay ->
                overlay.manifests().all().stream().map(one -> arguments(overlay.name(), one)));
  }

  @ParameterizedTest(name = "{0}: {1}")
  @MethodSource("documents")
  void twoLibrariesFindNothingWrong(String overlay, Manifest manifest) {
    List<Schema> able = able(manifest);

    assertThat(able)
        .as("libraries that know %s %s", manifest.apiVersion(), manifest.kind())
        .hasSize(2);
    assertThat(able).flatExtracting(library -> library.problems(manifest)).isEmpty();
  }

  static Stream<Arguments> mistakes() {
    return Stream.of(
        mistake(
            "unknown field", "Deployment", "serving", m -> m.object("/spec").put("replica", 2), 2),
        mistake(
            "unknown field, deep",
            "Deployment",
            "serving",
            m ->
                m.object("/spec/template/spec/containers/0/livenessProbe/httpGet").put("prot", "x"),
            2),
        mistake(
            "wrong type",
            "Deployment",
            "training",
            m -> m.object("/spec").put("replicas", "two"),
            1),
        mistake(
            "missing field", "Deployment", "serving", m -> m.object("/spec").remove("selector"), 1),
        mistake(
            "unknown field",
            "CronJob",
            "training-worker",
            m -> m.object("/spec").put("paused", true),
            2),
        mistake(
            "unknown field", "Kafka", "attune", m -> m.object("/spec/kafka").put("replicas", 3), 2),
        mistake(
            "unknown value",
            "KafkaUser",
            "serving",
            m -> m.object("/spec/authentication").put("type", "none"),
            2),
        mistake(
            "wrong type",
            "KafkaTopic",
            "training.jobs.v1",
            m -> m.object("/spec").put("partitions", "3"),
            2),
        mistake(
            "missing field",
            "ScaledObject",
            "serving",
            m -> m.object("/spec").remove("scaleTargetRef"),
            2),
        mistake(
            "unknown field",
            "Cluster",
            "attune-postgres",
            m -> m.object("/spec/storage").put("sizes", "1Gi"),
            2),
        mistake(
            "unknown field in a list",
            "PrometheusRule",
            "attune",
            m ->
                ((ArrayNode) m.json().requiredAt("/spec/groups"))
                    .addObject()
                    .put("name", "x")
                    .put("rule", 1),
            2),
        mistake(
            "unknown field",
            "Keycloak",
            "keycloak",
            m -> m.object("/spec/db").put("hosts", "x"),
            2),
        mistake(
            "missing field",
            "Certificate",
            "serving",
            m -> m.object("/spec").remove("issuerRef"),
            2));
  }

  private static Arguments mistake(
      String what, String kind, String name, Consumer<Manifest> make, int noticedBy) {
    return arguments(what, kind, name, make, noticedBy);
  }

  @ParameterizedTest(name = "{0} in {1} {2}")
  @MethodSource("mistakes")
  void aMistakeIsNoticed(
      String what, String kind, String name, Consumer<Manifest> make, int noticedBy) {
    Manifest manifest = new Overlay("production").manifests().copy().get(kind, name);

    make.accept(manifest);

    assertThat(able(manifest))
        .filteredOn(library -> !library.problems(manifest).isEmpty())
        .hasSizeGreaterThanOrEqualTo(noticedBy);
  }

  @Test
  void aKindThatNobodyKnowsIsNoticed() {
    Manifest manifest = new Overlay("production").manifests().copy().get("Service", "serving");
    manifest.json().put("kind", "Servise");

    assertThat(able(manifest)).isEmpty();
  }

  private static List<Schema> able(Manifest manifest) {
    return LIBRARIES.stream().filter(library -> library.knows(manifest)).toList();
  }
}
