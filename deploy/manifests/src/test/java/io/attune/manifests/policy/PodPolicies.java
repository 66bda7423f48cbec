package io.attune.manifests.policy;

import com.fasterxml.jackson.databind.JsonNode;
import io.attune.manifests.Manifests;
import io.attune.manifests.Workload;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;

/** Policies that a pod template keeps by itself. */
final class PodPolicies {
  private static final Map<String, String> PROBES =
      Map.of(
          "startupProbe", "/q/health/started",
          "readinessProbe", "/q/health/ready",
          "livenessProbe", "/q/health/live");

  /** What a service does after its last request: consumers, connections, the model. */
  private static final Duration CLOSING = Duration.ofSeconds(20);

  private static final Pattern IMAGE =
      Pattern.compile("[^@]+/[^@:/]+(:(?!latest$)[\\w][\\w.-]*|@sha256:[0-9a-f]{64})");

  private PodPolicies() {}

  static List<String> probes(Manifests manifests) {
    Violations broken = new Violations();
    for (Workload workload : manifests.workloads()) {
      if (!workload.isService()) {
        continue;
      }
      for (JsonNode container : workload.pod().path("containers")) {
        PROBES.forEach(
            (probe, path) -> {
              JsonNode get = container.path(probe).path("httpGet");
              broken.unless(
                  workload.isOurs() ? get.path("path").asText().equals(path) : get.has("path"),
                  workload,
                  probe + " is not " + path);
              broken.unless(
                  ports(container).contains(get.path("port").asText()),
                  workload,
                  probe + " asks a port that is not open");
            });
      }
    }
    return broken.list();
  }

  private static Set<String> ports(JsonNode container) {
    return StreamSupport.stream(container.path("ports").spliterator(), false)
        .map(port -> port.path("name").asText())
        .collect(Collectors.toSet());
  }

  static List<String> resources(Manifests manifests) {
    Violations broken = new Violations();
    for (Workload workload : manifests.workloads()) {
      for (JsonNode container : workload.containers()) {
        for (String kind : List.of("requests", "limits")) {
          for (String resource : List.of("cpu", "memory")) {
            broken.unless(
                container.path("resources").path(kind).has(resource),
                workload,
                "no %s of %s in container %s"
                    .formatted(kind, resource, container.path("name").asText()));
          }
        }
      }
    }
    return broken.list();
  }

  static List<String> security(Manifests manifests) {
    Violations broken = new Violations();
    manifests
        .ofKind("Namespace")
        .forEach(
            space ->
                broken.unless(
                    space
                        .at("/metadata/labels/pod-security.kubernetes.io~1enforce")
                        .asText()
                        .equals("restricted"),
                    space,
                    "does not enforce the restricted Pod Security Standard"));
    for (Workload workload : manifests.workloads()) {
      JsonNode pod = workload.pod();
      JsonNode context = pod.path("securityContext");
      broken.unless(context.path("runAsNonRoot").asBoolean(), workload, "may run as root");
      broken.unless(context.path("runAsUser").asInt() > 0, workload, "has no user of its own");
      broken.unless(
          context.at("/seccompProfile/type").asText().equals("RuntimeDefault"),
          workload,
          "has no seccomp profile");
      for (String shared : List.of("hostNetwork", "hostPID", "hostIPC")) {
        broken.unless(!pod.path(shared).asBoolean(), workload, shared + " is on");
      }
      for (JsonNode volume : pod.path("volumes")) {
        broken.unless(!volume.has("hostPath"), workload, "mounts a folder of its node");
      }
      for (JsonNode container : workload.containers()) {
        JsonNode own = container.path("securityContext");
        broken.unless(
            own.path("allowPrivilegeEscalation").isBoolean()
                && !own.path("allowPrivilegeEscalation").asBoolean(),
            workload,
            "may gain privileges");
        broken.unless(!own.path("privileged").asBoolean(), workload, "is privileged");
        broken.unless(
            own.path("readOnlyRootFilesystem").asBoolean(), workload, "may write to its root");
        broken.unless(
            own.at("/capabilities/drop/0").asText().equals("ALL")
                && !own.path("capabilities").has("add"),
            workload,
            "keeps capabilities");
      }
    }
    return broken.list();
  }

  static List<String> temporaryFiles(Manifests manifests) {
    Violations broken = new Violations();
    for (Workload workload : manifests.workloads()) {
      for (JsonNode container : workload.containers()) {
        boolean bounded =
            StreamSupport.stream(container.path("volumeMounts").spliterator(), false)
                .filter(mount -> mount.path("mountPath").asText().equals("/tmp"))
                .anyMatch(mount -> isBounded(workload, mount.path("name").asText()));
        broken.unless(bounded, workload, "/tmp is no emptyDir with a sizeLimit");
      }
    }
    return broken.list();
  }

  private static boolean isBounded(Workload workload, String volume) {
    return StreamSupport.stream(workload.pod().path("volumes").spliterator(), false)
        .anyMatch(
            one ->
                one.path("name").asText().equals(volume) && one.path("emptyDir").has("sizeLimit"));
  }

  static List<String> images(Manifests manifests) {
    Violations broken = new Violations();
    for (Workload workload : manifests.workloads()) {
      for (JsonNode container : workload.containers()) {
        String image = container.path("image").asText();
        broken.unless(
            IMAGE.matcher(image).matches(), workload, "the image %s may change".formatted(image));
      }
    }
    return broken.list();
  }

  static List<String> serviceLinks(Manifests manifests) {
    Violations broken = new Violations();
    for (Workload workload : manifests.workloads()) {
      JsonNode links = workload.pod().path("enableServiceLinks");
      broken.unless(
          links.isBoolean() && !links.asBoolean(),
          workload,
          "gets the addresses of Services as variables");
    }
    return broken.list();
  }

  static List<String> drain(Manifests manifests) {
    Violations broken = new Violations();
    for (Workload workload : manifests.workloads()) {
      if (!workload.isOurs()) {
        continue;
      }
      long grace = workload.pod().path("terminationGracePeriodSeconds").asLong(30);
      for (JsonNode container : workload.pod().path("containers")) {
        long preStop = container.at("/lifecycle/preStop/sleep/seconds").asLong();
        String timeout = manifests.environment(container).get("QUARKUS_SHUTDOWN_TIMEOUT");
        broken.unless(preStop >= 5, workload, "leaves before proxies know of it");
        broken.unless(timeout != null, workload, "waits for no request when it stops");
        if (timeout != null) {
          long requests = Duration.parse("PT" + timeout).toSeconds();
          long needed = preStop + requests + CLOSING.toSeconds();
          broken.unless(
              grace >= needed,
              workload,
              "terminationGracePeriodSeconds is %d and %d are needed".formatted(grace, needed));
        }
      }
    }
    return broken.list();
  }
}
