package io.attune.manifests;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** One document. */
public record Manifest(ObjectNode json) {
  public String apiVersion() {
    return json.path("apiVersion").asText();
  }

  public String kind() {
    return json.path("kind").asText();
  }

  public String name() {
    return json.at("/metadata/name").asText();
  }

  /** A part, by JSON pointer; a missing node where there is none. */
  public JsonNode at(String pointer) {
    return json.at(pointer);
  }

  /** A part that is there, to be changed. */
  public ObjectNode object(String pointer) {
    return (ObjectNode) json.requiredAt(pointer);
  }

  /** Kind and name, as messages have them. */
  public String id() {
    return kind() + " " + name();
  }

  @Override
  public String toString() {
    return id();
  }
}
