package io.attune.manifests.schema;

import com.github.erosb.jsonsKema.JsonParser;
import com.github.erosb.jsonsKema.SchemaLoader;
import com.github.erosb.jsonsKema.ValidationFailure;
import com.github.erosb.jsonsKema.Validator;
import io.attune.manifests.Manifest;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** json-sKema, another validator of JSON Schema. */
final class SkemaSchemas implements Schema {
  private final Map<String, Validator> read = new ConcurrentHashMap<>();

  @Override
  public boolean knows(Manifest manifest) {
    return CrdFiles.schema(manifest).isPresent();
  }

  @Override
  public List<String> problems(Manifest manifest) {
    ValidationFailure failure =
        schema(manifest).validate(new JsonParser(manifest.json().toString()).parse());
    return failure == null ? List.of() : List.of(failure.toString());
  }

  private Validator schema(Manifest manifest) {
    return read.computeIfAbsent(
        CrdFiles.fileName(manifest.apiVersion(), manifest.kind()),
        file ->
            Validator.forSchema(new SchemaLoader(CrdFiles.schema(manifest).orElseThrow()).load()));
  }
}
