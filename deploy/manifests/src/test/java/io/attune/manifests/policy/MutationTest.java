package io.attune.manifests.policy;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.manifests.Manifest;
import io.attune.manifests.Manifests;
import io.attune.manifests.Overlay;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each policy notices when it is broken, and says where. */
class MutationTest {
  private static final String POD = "/spec/template/spec";
  private static final String CONTAINER = POD + "/containers/0";

  /**
   * A way to break a policy.
   *
   * @param where what the violation must name
   */
  private record Mutation(
      Policy policy, String what, String where, UnaryOperator<Manifests> change) {
    @Override
    public String toString() {
      return policy + ": " + what;
    }
  }

  static List<Mutation> mutations() {
    return List.of(
        serving(Policy.PROBES, "no liveness probe", c -> container(c).remove("livenessProbe")),
        serving(
            Policy.PROBES,
            "a path that Quarkus does not have",
            c -> c.object(CONTAINER + "/startupProbe/httpGet").put("path", "/health")),
        serving(
            Policy.PROBES,
            "a port that is not open",
            c -> c.object(CONTAINER + "/readinessProbe/httpGet").put("port", "http")),
        serving(
            Policy.RESOURCES,
            "no limit of memory",
            c -> c.object(CONTAINER + "/resources/limits").remove("memory")),
        serving(
            Policy.RESOURCES,
            "no request",
            c -> c.object(CONTAINER + "/resources").remove("requests")),
        serving(
            Policy.SECURITY,
            "a root that can be written to",
            c -> c.object(CONTAINER + "/securityContext").remove("readOnlyRootFilesystem")),
        serving(
            Policy.SECURITY,
            "a capability",
            c ->
                c.object(CONTAINER + "/securityContext/capabilities")
                    .putArray("add")
                    .add("NET_ADMIN")),
        serving(
            Policy.SECURITY, "root", c -> c.object(POD + "/securityContext").put("runAsUser", 0)),
        serving(Policy.SECURITY, "the node's network", c -> c.object(POD).put("hostNetwork", true)),
        one(
            Policy.SECURITY,
            "a namespace that enforces nothing",
            "Namespace",
            "attune",
            c -> c.object("/metadata").remove("labels")),
        serving(
            Policy.TEMPORARY_FILES,
            "no volume for them",
            c -> container(c).set("volumeMounts", c.json().arrayNode())),
        serving(
            Policy.IMAGES,
            "latest",
            c -> container(c).put("image", "x.example.com/serving:latest")),
        serving(Policy.IMAGES, "no tag", c -> container(c).put("image", "x.example.com/serving")),
        serving(
            Policy.SERVICE_LINKS, "on by default", c -> c.object(POD).remove("enableServiceLinks")),
        serving(
            Policy.DRAIN,
            "less than the longest answer",
            c -> c.object(POD).put("terminationGracePeriodSeconds", 300)),
        serving(Policy.DRAIN, "no preStop", c -> container(c).remove("lifecycle")),
        serving(
            Policy.SPREAD,
            "over nodes alone",
            c -> ((ArrayNode) c.object(POD).required("topologySpreadConstraints")).remove(1)),
        new Mutation(
            Policy.DISRUPTION,
            "no budget",
            "Deployment serving",
            all -> all.without("PodDisruptionBudget", "serving")),
        one(
            Policy.DISRUPTION,
            "a budget that lets nobody go",
            "PodDisruptionBudget",
            "serving",
            c -> c.object("/spec").put("maxUnavailable", 0)),
        serving(Policy.SCALING, "set by two hands", c -> c.object("/spec").put("replicas", 3)),
        one(
            Policy.SCALING,
            "more replicas than partitions",
            "ScaledObject",
            "serving",
            c -> c.object("/spec").put("maxReplicaCount", 25)),
        one(
            Policy.OPERATED,
            "Kafka without limits",
            "KafkaNodePool",
            "node",
            c -> c.object("/spec/resources").remove("limits")),
        serving(Policy.ACCOUNTS, "everybody's", c -> c.object(POD).remove("serviceAccountName")),
        serving(
            Policy.ACCOUNTS,
            "a token for nothing",
            c -> c.object(POD).put("automountServiceAccountToken", true)),
        one(
            Policy.ACCOUNTS,
            "a right to everything",
            "Role",
            "training-workers",
            c -> ((ObjectNode) c.at("/rules/0")).putArray("verbs").add("*")),
        serving(
            Policy.SECRETS,
            "written down in a pod",
            c ->
                ((ArrayNode) container(c).required("env"))
                    .addObject()
                    .put("name", "QUARKUS_OIDC_CLIENT_CREDENTIALS_SECRET")
                    .put("value", "hunter2")),
        new Mutation(
            Policy.SECRETS,
            "a Secret",
            "Secret plain",
            all -> {
              ObjectNode secret = all.get("Service", "serving").json();
              secret.put("kind", "Secret");
              ((ObjectNode) secret.required("metadata")).put("name", "plain");
              return all;
            }),
        new Mutation(
            Policy.NETWORK,
            "open by default",
            "NetworkPolicy",
            all -> all.without("NetworkPolicy", "default-deny")),
        new Mutation(
            Policy.NETWORK,
            "none of its own",
            "Deployment serving",
            all -> all.without("NetworkPolicy", "serving")),
        one(
            Policy.NETWORK,
            "everybody comes in",
            "NetworkPolicy",
            "clients",
            c -> ((ObjectNode) c.at("/spec/ingress/0")).remove("from")),
        new Mutation(
            Policy.REFERENCES,
            "an account that is not there",
            "Deployment serving",
            all -> all.without("ServiceAccount", "serving")),
        serving(
            Policy.REFERENCES,
            "a secret that nobody makes",
            c ->
                ((ArrayNode) container(c).required("env"))
                    .addObject()
                    .put("name", "X")
                    .putObject("valueFrom")
                    .putObject("secretKeyRef")
                    .put("name", "nobody-makes-it")
                    .put("key", "x")));
  }

  private static ObjectNode container(Manifest deployment) {
    return deployment.object(CONTAINER);
  }

  private static Mutation serving(Policy policy, String what, Consumer<Manifest> change) {
    return one(policy, what, "Deployment", "serving", change);
  }

  private static Mutation one(
      Policy policy, String what, String kind, String name, Consumer<Manifest> change) {
    return new Mutation(
        policy,
        what,
        kind + " " + name,
        all -> {
          change.accept(all.get(kind, name));
          return all;
        });
  }

  @ParameterizedTest
  @MethodSource("mutations")
  void isNoticed(Mutation mutation) {
    Manifests broken = mutation.change().apply(new Overlay("production").manifests());

    assertThat(mutation.policy().violations(broken))
        .isNotEmpty()
        .allMatch(violation -> violation.startsWith(mutation.where() + ": "));
  }

  @Test
  void everyPolicyIsBrokenOnce() {
    Set<Policy> broken = EnumSet.noneOf(Policy.class);
    mutations().forEach(mutation -> broken.add(mutation.policy()));
    assertThat(broken).containsExactly(Policy.values());
  }
}
