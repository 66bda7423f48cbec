package io.attune.manifests;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * What runs pods of ours.
 *
 * @param template its pod template
 */
public record Workload(Manifest owner, ObjectNode template) {
  private static final Map<String, String> TEMPLATES =
      Map.of(
          "Deployment", "/spec/template",
          "StatefulSet", "/spec/template",
          "DaemonSet", "/spec/template",
          "Job", "/spec/template",
          "CronJob", "/spec/jobTemplate/spec/template");

  static boolean isOne(Manifest manifest) {
    return TEMPLATES.containsKey(manifest.kind());
  }

  static Workload of(Manifest manifest) {
    return new Workload(manifest, manifest.object(TEMPLATES.get(manifest.kind())));
  }

  public String name() {
    return owner.name();
  }

  /** Whether it runs on and on, and so needs probes, a budget and several places. */
  public boolean isService() {
    return !Set.of("Job", "CronJob").contains(owner.kind());
  }

  /** Whether it is one of Attune's own services, and no other program. */
  public boolean isOurs() {
    return isService() && "service".equals(labels().get("app.kubernetes.io/component"));
  }

  public JsonNode pod() {
    return template.path("spec");
  }

  public Map<String, String> labels() {
    return text(template.at("/metadata/labels"));
  }

  /** All containers, those that run before the others too. */
  public List<JsonNode> containers() {
    return Stream.of("containers", "initContainers")
        .flatMap(kind -> StreamSupport.stream(pod().path(kind).spliterator(), false))
        .toList();
  }

  @Override
  public String toString() {
    return owner.id();
  }

  static Map<String, String> text(JsonNode object) {
    Map<String, String> values = new LinkedHashMap<>();
    object.properties().forEach(entry -> values.put(entry.getKey(), entry.getValue().asText()));
    return values;
  }
}
