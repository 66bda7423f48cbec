package io.attune.manifests;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The documents of an overlay. */
public record Manifests(List<Manifest> all) {
  private static final YAMLMapper YAML = new YAMLMapper();

  /** Reads documents that are parted by lines of {@code ---}. */
  public static Manifests parse(String yaml) {
    try (MappingIterator<ObjectNode> documents =
        YAML.readerFor(ObjectNode.class).readValues(yaml)) {
      return new Manifests(documents.readAll().stream().map(Manifest::new).toList());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Documents that can be changed without changing these. */
  public Manifests copy() {
    return new Manifests(all.stream().map(one -> new Manifest(one.json().deepCopy())).toList());
  }

  /** All but one document. */
  public Manifests without(String kind, String name) {
    return new Manifests(all.stream().filter(one -> !one.id().equals(kind + " " + name)).toList());
  }

  public List<Manifest> ofKind(String kind) {
    return all.stream().filter(one -> one.kind().equals(kind)).toList();
  }

  /** The document of a kind and name; fails where there is none. */
  public Manifest get(String kind, String name) {
    return ofKind(kind).stream()
        .filter(one -> one.name().equals(name))
        .findFirst()
        .orElseThrow(() -> new AssertionError("there is no " + kind + " " + name));
  }

  /** What runs pods. */
  public List<Workload> workloads() {
    return all.stream().filter(Workload::isOne).map(Workload::of).toList();
  }

  public Workload workload(String name) {
    return workloads().stream()
        .filter(one -> one.name().equals(name))
        .findFirst()
        .orElseThrow(() -> new AssertionError("there is no workload " + name));
  }

  /**
   * A container's environment, ConfigMaps resolved. What a secret or the pod itself gives is
   * written {@code <secret>} and {@code 1}.
   */
  public Map<String, String> environment(JsonNode container) {
    Map<String, String> environment = new LinkedHashMap<>();
    for (JsonNode from : container.path("envFrom")) {
      String map = from.at("/configMapRef/name").asText();
      environment.putAll(Workload.text(get("ConfigMap", map).at("/data")));
    }
    for (JsonNode variable : container.path("env")) {
      environment.put(variable.path("name").asText(), value(variable));
    }
    return environment;
  }

  private String value(JsonNode variable) {
    if (variable.has("value")) {
      return variable.path("value").asText();
    }
    JsonNode from = variable.path("valueFrom");
    if (from.has("configMapKeyRef")) {
      JsonNode key = from.path("configMapKeyRef");
      return get("ConfigMap", key.path("name").asText())
          .json()
          .required("data")
          .required(key.path("key").asText())
          .asText();
    }
    return from.has("secretKeyRef") ? "<secret>" : "1";
  }
}
