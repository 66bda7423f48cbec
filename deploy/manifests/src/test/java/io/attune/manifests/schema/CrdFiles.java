package io.attune.manifests.schema;

import io.attune.manifests.Manifest;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** The schemas of operators' kinds, which lie in the test resources; see the README there. */
final class CrdFiles {
  private CrdFiles() {}

  /** The JSON Schema of a document's kind and version; empty where it is not kept. */
  static Optional<String> schema(Manifest manifest) {
    try (InputStream file =
        CrdFiles.class.getResourceAsStream(
            "/crds/" + fileName(manifest.apiVersion(), manifest.kind()))) {
      return file == null
          ? Optional.empty()
          : Optional.of(new String(file.readAllBytes(), StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static String fileName(String apiVersion, String kind) {
    return apiVersion.replace('/', '_') + "_" + kind + ".json";
  }
}
