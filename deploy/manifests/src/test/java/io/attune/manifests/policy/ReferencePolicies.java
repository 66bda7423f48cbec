package io.attune.manifests.policy;

import com.fasterxml.jackson.databind.JsonNode;
import io.attune.manifests.Manifest;
import io.attune.manifests.Manifests;
import io.attune.manifests.Project;
import io.attune.manifests.Selector;
import io.attune.manifests.Workload;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Names that are used are names that exist. */
final class ReferencePolicies {
  private static final Pattern CREATED = Pattern.compile("^create (\\S+)", Pattern.MULTILINE);

  private ReferencePolicies() {}

  static List<String> references(Manifests manifests) {
    Violations broken = new Violations();
    Set<String> there = new HashSet<>();
    manifests.all().forEach(one -> there.add(one.id()));
    secrets(manifests).forEach(name -> there.add("Secret " + name));
    for (Workload workload : manifests.workloads()) {
      for (String wanted : wanted(workload)) {
        broken.unless(there.contains(wanted), workload, "there is no " + wanted);
      }
    }
    for (Manifest service : manifests.ofKind("Service")) {
      boolean answered =
          manifests.workloads().stream()
              .anyMatch(
                  workload ->
                      workload
                          .labels()
                          .entrySet()
                          .containsAll(Selector.labels(service.at("/spec/selector")).entrySet()));
      broken.unless(answered, service, "selects no pod");
    }
    return broken.list();
  }

  private static Set<String> wanted(Workload workload) {
    Set<String> wanted = new TreeSet<>();
    JsonNode pod = workload.pod();
    wanted.add("ServiceAccount " + pod.path("serviceAccountName").asText());
    for (JsonNode volume : pod.path("volumes")) {
      add(wanted, "PersistentVolumeClaim", volume.at("/persistentVolumeClaim/claimName"));
      add(wanted, "Secret", volume.at("/secret/secretName"));
      add(wanted, "ConfigMap", volume.at("/configMap/name"));
    }
    for (JsonNode container : workload.containers()) {
      container
          .path("envFrom")
          .forEach(from -> add(wanted, "ConfigMap", from.at("/configMapRef/name")));
      for (JsonNode variable : container.path("env")) {
        add(wanted, "ConfigMap", variable.at("/valueFrom/configMapKeyRef/name"));
        add(wanted, "Secret", variable.at("/valueFrom/secretKeyRef/name"));
      }
    }
    return wanted;
  }

  private static void add(Set<String> wanted, String kind, JsonNode name) {
    if (name.isTextual()) {
      wanted.add(kind + " " + name.asText());
    }
  }

  /** Secrets that operators make of the documents, and those that create-secrets.sh makes. */
  private static Set<String> secrets(Manifests manifests) {
    Set<String> secrets = new HashSet<>();
    for (Manifest kafka : manifests.ofKind("Kafka")) {
      secrets.add(kafka.name() + "-cluster-ca-cert");
      String prefix = kafka.at("/spec/entityOperator/userOperator/secretPrefix").asText();
      manifests.ofKind("KafkaUser").forEach(user -> secrets.add(prefix + user.name()));
    }
    manifests.ofKind("Cluster").forEach(cluster -> secrets.add(cluster.name() + "-ca"));
    manifests
        .ofKind("Certificate")
        .forEach(certificate -> secrets.add(certificate.at("/spec/secretName").asText()));
    Matcher created = CREATED.matcher(script());
    while (created.find()) {
      secrets.add(created.group(1));
    }
    return secrets;
  }

  private static String script() {
    try {
      return Files.readString(Project.root().resolve("k8s/create-secrets.sh"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
