package io.attune.manifests;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** NetworkPolicies let through what services are told to call, and nothing else. */
class FlowsTest {
  private static final Pattern ADDRESS = Pattern.compile("([a-z][a-z0-9-]*):(\\d{2,5})");

  /** Something that can be called: how its pods are labelled, and its open port. */
  private record Target(String name, Map<String, String> labels, String port) {}

  /** The labels that operators give to the pods of what they run. */
  private static final Map<String, Target> OPERATED =
      Map.of(
          "attune-kafka-bootstrap:9093",
          new Target(
              "kafka",
              Map.of("strimzi.io/cluster", "attune", "strimzi.io/name", "attune-kafka"),
              "9093"),
          "attune-postgres-rw:5432",
          new Target("postgres", Map.of("cnpg.io/cluster", "attune-postgres"), "5432"),
          "otel-collector:4317",
          new Target("otel-collector", Map.of("app.kubernetes.io/name", "otel-collector"), "4317"),
          "keycloak-service:8443",
          new Target("keycloak", Map.of("app", "keycloak"), "8443"));

  static List<Overlay> overlays() {
    return Overlay.all();
  }

  @ParameterizedTest
  @MethodSource("overlays")
  void whatIsCalledCanBeReachedAndNothingElse(Overlay overlay) {
    Manifests manifests = overlay.manifests();
    List<Target> targets =
        Stream.concat(
                OPERATED.values().stream(),
                Services.NAMES.stream().map(name -> service(manifests, name)))
            .toList();
    for (Workload workload : manifests.workloads()) {
      TreeSet<String> called = called(manifests, workload);
      TreeSet<String> reachable = new TreeSet<>();
      for (Target target : targets) {
        if (isOpen(manifests, workload.labels(), target)) {
          reachable.add(target.name());
        }
      }
      assertThat(reachable).as("what %s reaches", workload).isEqualTo(called);
    }
  }

  /** The list above is derived; this one says that it is derived rightly. */
  @Test
  void trainingCallsIngestionAndTheWorkerNobody() {
    Manifests manifests = new Overlay("production").manifests();

    assertThat(called(manifests, manifests.workload("training")))
        .containsExactly("ingestion", "kafka", "keycloak", "otel-collector", "postgres");
    assertThat(called(manifests, manifests.workload("serving")))
        .containsExactly("kafka", "keycloak", "otel-collector");
    assertThat(called(manifests, manifests.workload("training-worker"))).isEmpty();
  }

  @Test
  void aClosedWayIsNoticed() {
    Manifests manifests =
        new Overlay("production").manifests().without("NetworkPolicy", "ingestion");

    assertThat(
            isOpen(
                manifests,
                manifests.workload("training").labels(),
                service(manifests, "ingestion")))
        .isFalse();
  }

  private static TreeSet<String> called(Manifests manifests, Workload workload) {
    TreeSet<String> called = new TreeSet<>();
    for (JsonNode container : workload.containers()) {
      for (String value : manifests.environment(container).values()) {
        Matcher address = ADDRESS.matcher(value);
        while (address.find()) {
          Target operated = OPERATED.get(address.group());
          if (operated != null) {
            called.add(operated.name());
          } else if (Services.NAMES.contains(address.group(1))) {
            assertThat(manifests.get("Service", address.group(1)).at("/spec/ports/0/port").asText())
                .as("the port of %s that %s calls", address.group(1), workload)
                .isEqualTo(address.group(2));
            called.add(address.group(1));
          }
        }
      }
    }
    return called;
  }

  private static Target service(Manifests manifests, String name) {
    return new Target(name, manifests.workload(name).labels(), "api");
  }

  private static boolean isOpen(Manifests manifests, Map<String, String> source, Target target) {
    return allows(manifests, "egress", source, target.labels(), target.port())
        && allows(manifests, "ingress", target.labels(), source, target.port());
  }

  /** Whether some policy of one side lets the other side's pods through, in this namespace. */
  private static boolean allows(
      Manifests manifests,
      String direction,
      Map<String, String> own,
      Map<String, String> other,
      String port) {
    String peers = direction.equals("egress") ? "to" : "from";
    return manifests.ofKind("NetworkPolicy").stream()
        .filter(policy -> Selector.matches(policy.at("/spec/podSelector"), own))
        .flatMap(policy -> stream(policy.at("/spec/" + direction)))
        .filter(rule -> !rule.has("ports") || hasPort(rule, port))
        .flatMap(rule -> stream(rule.path(peers)))
        .anyMatch(
            peer ->
                !peer.has("namespaceSelector")
                    && Selector.matches(peer.path("podSelector"), other));
  }

  private static boolean hasPort(JsonNode rule, String port) {
    return stream(rule.path("ports")).anyMatch(one -> one.path("port").asText().equals(port));
  }

  private static Stream<JsonNode> stream(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false);
  }
}
