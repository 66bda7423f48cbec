package io.attune.manifests.schema;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Makes the files in the test resources' {@code crds} of CustomResourceDefinitions: the schema of
 * each served version, as an API server would enforce it with strict field validation, without the
 * texts.
 *
 * <p>Arguments: the folder to write to, then the definitions.
 */
final class CrdImport {
  private static final YAMLMapper YAML = new YAMLMapper();
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Set<String> TEXTS =
      Set.of("description", "title", "example", "externalDocs", "default", "format");

  private CrdImport() {}

  public static void main(String[] arguments) throws IOException {
    Path target = Path.of(arguments[0]);
    for (String source : List.of(arguments).subList(1, arguments.length)) {
      for (JsonNode crd :
          YAML.readerFor(JsonNode.class).<JsonNode>readValues(Path.of(source).toFile()).readAll()) {
        write(target, crd);
      }
    }
  }

  private static void write(Path target, JsonNode crd) throws IOException {
    String group = crd.at("/spec/group").asText();
    String kind = crd.at("/spec/names/kind").asText();
    for (JsonNode version : crd.at("/spec/versions")) {
      if (!version.path("served").asBoolean()) {
        continue;
      }
      ObjectNode schema = version.requiredAt("/schema/openAPIV3Schema").deepCopy();
      ((ObjectNode) schema.required("properties")).remove("status");
      tighten(schema);
      ObjectNode properties = (ObjectNode) schema.required("properties");
      properties.putObject("apiVersion").put("type", "string");
      properties.putObject("kind").put("type", "string");
      properties.putObject("metadata").put("type", "object");
      schema.put("$schema", "https://json-schema.org/draft/2020-12/schema");
      String apiVersion = group + "/" + version.path("name").asText();
      Files.writeString(
          target.resolve(CrdFiles.fileName(apiVersion, kind)),
          JSON.writeValueAsString(schema) + "\n");
    }
  }

  /** From a structural schema of OpenAPI to one of JSON Schema that knows no more fields. */
  private static void tighten(ObjectNode schema) {
    schema.remove(TEXTS);
    boolean open = schema.path("x-kubernetes-preserve-unknown-fields").asBoolean();
    if (schema.has("properties") && !schema.has("additionalProperties") && !open) {
      schema.put("additionalProperties", false);
    }
    if (schema.path("x-kubernetes-embedded-resource").asBoolean()) {
      schema.put("additionalProperties", true);
    }
    if (schema.path("nullable").asBoolean() && schema.path("type").isTextual()) {
      schema.set("type", JSON.createArrayNode().add(schema.get("type")).add("null"));
    }
    List.copyOf(schema.properties()).stream()
        .map(Map.Entry::getKey)
        .filter(key -> key.startsWith("x-") || key.equals("nullable"))
        .forEach(schema::remove);
    for (String several : List.of("properties", "patternProperties")) {
      schema.path(several).forEach(CrdImport::tightenIfSchema);
    }
    for (String one : List.of("items", "additionalProperties", "not")) {
      tightenIfSchema(schema.path(one));
    }
    // Parts of a schema that is tight already: they only narrow it.
  }

  private static void tightenIfSchema(JsonNode node) {
    if (node instanceof ObjectNode schema) {
      tighten(schema);
    }
  }
}
