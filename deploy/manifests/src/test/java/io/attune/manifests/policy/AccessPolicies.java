package io.attune.manifests.policy;

import com.fasterxml.jackson.databind.JsonNode;
import io.attune.manifests.Manifest;
import io.attune.manifests.Manifests;
import io.attune.manifests.Selector;
import io.attune.manifests.Workload;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.StreamSupport;

/** Policies of who may do what. */
final class AccessPolicies {
  private static final Pattern SECRET =
      Pattern.compile(".*(PASSWORD|SECRET|TOKEN|CREDENTIAL|PRIVATE_KEY)S?");

  private AccessPolicies() {}

  static List<String> accounts(Manifests manifests) {
    Violations broken = new Violations();
    Set<String> bound = new HashSet<>();
    for (Manifest binding : manifests.ofKind("RoleBinding")) {
      binding.at("/subjects").forEach(subject -> bound.add(subject.path("name").asText()));
    }
    Set<String> used = new HashSet<>();
    for (Workload workload : manifests.workloads()) {
      String account = workload.pod().path("serviceAccountName").asText("default");
      broken.unless(!account.equals("default"), workload, "runs as everybody");
      broken.unless(used.add(account), workload, "shares the account " + account);
      JsonNode token = workload.pod().path("automountServiceAccountToken");
      broken.unless(
          token.isBoolean() && token.asBoolean() == bound.contains(account),
          workload,
          bound.contains(account)
              ? "has a Role and no token for it"
              : "has a token for the API server without a Role");
    }
    for (Manifest role : manifests.ofKind("Role")) {
      for (JsonNode rule : role.at("/rules")) {
        broken.unless(
            !rule.toString().contains("\"*\"") && !rule.toString().contains("\"secrets\""),
            role,
            "gives everything, or secrets");
      }
    }
    return broken.list();
  }

  static List<String> secrets(Manifests manifests) {
    Violations broken = new Violations();
    manifests.ofKind("Secret").forEach(one -> broken.unless(false, one, "is written down"));
    for (Manifest map : manifests.ofKind("ConfigMap")) {
      map.at("/data")
          .properties()
          .forEach(
              entry ->
                  broken.unless(
                      !SECRET.matcher(entry.getKey()).matches(), map, "holds " + entry.getKey()));
    }
    for (Workload workload : manifests.workloads()) {
      for (JsonNode container : workload.containers()) {
        for (JsonNode variable : container.path("env")) {
          String name = variable.path("name").asText();
          broken.unless(
              !SECRET.matcher(name).matches() || variable.path("valueFrom").has("secretKeyRef"),
              workload,
              name + " is written down");
        }
      }
    }
    return broken.list();
  }

  static List<String> network(Manifests manifests) {
    Violations broken = new Violations();
    List<Manifest> policies = manifests.ofKind("NetworkPolicy");
    boolean closed =
        policies.stream()
            .anyMatch(
                one ->
                    one.at("/spec/podSelector").isEmpty()
                        && types(one).equals(Set.of("Ingress", "Egress"))
                        && !one.at("/spec").has("ingress")
                        && !one.at("/spec").has("egress"));
    broken.unless(closed, "NetworkPolicy", "nothing is closed by default");
    for (Workload workload : manifests.workloads()) {
      boolean named =
          policies.stream()
              .filter(one -> one.at("/spec/podSelector").toString().contains(workload.name()))
              .filter(one -> one.at("/spec/podSelector").has("matchLabels"))
              .anyMatch(one -> Selector.matches(one.at("/spec/podSelector"), workload.labels()));
      broken.unless(named, workload, "has no NetworkPolicy of its own");
    }
    for (Manifest policy : policies) {
      for (JsonNode rule : policy.at("/spec/ingress")) {
        broken.unless(
            rule.has("from") && rule.has("ports"), policy, "lets everybody in, or to every port");
      }
      for (JsonNode rule : policy.at("/spec/egress")) {
        broken.unless(rule.has("to") || rule.has("ports"), policy, "lets out to everywhere");
      }
    }
    return broken.list();
  }

  private static Set<String> types(Manifest policy) {
    Set<String> types = new HashSet<>();
    StreamSupport.stream(policy.at("/spec/policyTypes").spliterator(), false)
        .forEach(type -> types.add(type.asText()));
    return types;
  }
}
