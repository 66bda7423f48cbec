package io.attune.manifests.schema;

import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion.VersionFlag;
import com.networknt.schema.ValidationMessage;
import io.attune.manifests.Manifest;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** networknt's validator of JSON Schema. */
final class NetworkntSchemas implements Schema {
  private final Map<String, JsonSchema> read = new ConcurrentHashMap<>();
  private static final JsonSchemaFactory FACTORY =
      JsonSchemaFactory.getInstance(VersionFlag.V202012);

  @Override
  public boolean knows(Manifest manifest) {
    return CrdFiles.schema(manifest).isPresent();
  }

  @Override
  public List<String> problems(Manifest manifest) {
    return FACTORY
        .getSchema(CrdFiles.schema(manifest).orElseThrow())
        .validate(manifest.json())
        .stream()
        .map(ValidationMessage::getMessage)
        .toList();
  }

  private JsonSchema schema(Manifest manifest) {
    return read.computeIfAbsent(
        CrdFiles.fileName(manifest.apiVersion(), manifest.kind()),
        file -> FACTORY.getSchema(CrdFiles.schema(manifest).orElseThrow()));
  }
}
