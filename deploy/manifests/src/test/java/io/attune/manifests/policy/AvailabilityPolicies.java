package io.attune.manifests.policy;

import com.fasterxml.jackson.databind.JsonNode;
import io.attune.manifests.Manifest;
import io.attune.manifests.Manifests;
import io.attune.manifests.Selector;
import io.attune.manifests.Workload;
import io.attune.platform.event.Topics;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;

/** Policies by which a service outlives nodes, zones, upgrades and load. */
final class AvailabilityPolicies {
  private AvailabilityPolicies() {}

  static List<String> spread(Manifests manifests) {
    Violations broken = new Violations();
    for (Workload workload : manifests.workloads()) {
      if (!workload.isService()) {
        continue;
      }
      Set<String> over =
          StreamSupport.stream(
                  workload.pod().path("topologySpreadConstraints").spliterator(), false)
              .filter(one -> Selector.matches(one.path("labelSelector"), workload.labels()))
              .map(one -> one.path("topologyKey").asText())
              .collect(Collectors.toSet());
      for (String key : List.of("kubernetes.io/hostname", "topology.kubernetes.io/zone")) {
        broken.unless(over.contains(key), workload, "is not spread over " + key);
      }
    }
    return broken.list();
  }

  static List<String> disruption(Manifests manifests) {
    Violations broken = new Violations();
    for (Workload workload : manifests.workloads()) {
      if (!workload.isService()) {
        continue;
      }
      List<Manifest> budgets =
          manifests.ofKind("PodDisruptionBudget").stream()
              .filter(one -> Selector.matches(one.at("/spec/selector"), workload.labels()))
              .toList();
      broken.unless(budgets.size() == 1, workload, "has %d budgets".formatted(budgets.size()));
      for (Manifest budget : budgets) {
        broken.unless(
            budget.at("/spec/maxUnavailable").asInt() >= 1,
            budget,
            "lets no pod go, so that no node can be drained");
      }
    }
    return broken.list();
  }

  static List<String> scaling(Manifests manifests) {
    Violations broken = new Violations();
    for (Workload workload : manifests.workloads()) {
      if (!workload.owner().kind().equals("Deployment")) {
        continue;
      }
      List<Manifest> scalers = scalers(manifests, workload.name());
      boolean fixed = workload.owner().at("/spec").has("replicas");
      broken.unless(
          scalers.size() + (fixed ? 1 : 0) == 1,
          workload,
          "replicas are set by " + (fixed ? "the Deployment and " : "") + scalers);
      for (Manifest scaler : scalers) {
        int most = scaler.at("/spec/maxReplicas").asInt(scaler.at("/spec/maxReplicaCount").asInt());
        for (JsonNode trigger : scaler.at("/spec/triggers")) {
          if (trigger.path("type").asText().equals("kafka")) {
            // Without one it goes by all that the group reads; of the ratings there may be more.
            String topic = trigger.at("/metadata/topic").asText(Topics.RATINGS);
            int partitions = manifests.get("KafkaTopic", topic).at("/spec/partitions").asInt();
            broken.unless(
                most <= partitions,
                scaler,
                "%d replicas share %d partitions of %s".formatted(most, partitions, topic));
          }
        }
      }
    }
    return broken.list();
  }

  private static List<Manifest> scalers(Manifests manifests, String deployment) {
    List<Manifest> scalers = new ArrayList<>(manifests.ofKind("HorizontalPodAutoscaler"));
    scalers.addAll(manifests.ofKind("ScaledObject"));
    return scalers.stream()
        .filter(one -> one.at("/spec/scaleTargetRef/name").asText().equals(deployment))
        .toList();
  }

  static List<String> operated(Manifests manifests) {
    Violations broken = new Violations();
    for (String kind : List.of("KafkaNodePool", "Cluster", "Keycloak")) {
      for (Manifest one : manifests.ofKind(kind)) {
        broken.unless(one.at("/spec/resources").has("requests"), one, "requests nothing");
        broken.unless(one.at("/spec/resources").has("limits"), one, "has no limits");
      }
    }
    return broken.list();
  }
}
