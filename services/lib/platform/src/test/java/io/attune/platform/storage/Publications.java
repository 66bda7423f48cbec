package io.attune.platform.storage;

import io.attune.common.v1.Artifact;
import io.attune.common.v1.ErrorCode;
import io.attune.platform.error.PlatformException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** What services do to object storage, and what readers may see of it. */
final class Publications {
  static final String FOLDERS = "adapters";
  static final String FILES = "snapshots";
  static final String FILE_NAME = "ratings.jsonl";
  private static final int PIECES = 3;

  private final ObjectStore store;
  private final List<Artifact> published = new ArrayList<>();

  Publications(ObjectStore store) {
    this.store = store;
  }

  /** Those whose publication was acknowledged, and whose deletion was not begun. */
  List<Artifact> published() {
    return published;
  }

  /**
   * Publishes a folder and a file; each second time it deletes the folder of the version before.
   */
  void publish(int version) throws IOException {
    Path folder = store.stage(FOLDERS);
    write(folder.resolve("adapter_model.safetensors"), "weights " + version);
    write(folder.resolve("adapter_config.json"), "{\"version\":" + version + "}");
    published.add(store.publishFolder(FOLDERS, folder));
    Path file = store.stage(FILES);
    write(file.resolve(FILE_NAME), "ratings " + version);
    published.add(store.publishFile(FILES, file, FILE_NAME));
    if (version % 2 == 1 && published.size() >= 4) {
      store.delete(published.remove(published.size() - 4));
    }
  }

  private static void write(Path file, String line) throws IOException {
    byte[] piece = (line + "\n").repeat(20).getBytes(StandardCharsets.UTF_8);
    try (OutputStream out = Files.newOutputStream(file)) {
      for (int i = 0; i < PIECES; i++) {
        out.write(piece);
      }
    }
  }

  /** Opens everything that has a name, as a reader does that was told it; how many there are. */
  static int openAll(Path root) throws IOException {
    ObjectStore reader = new FolderStore(root);
    int seen = 0;
    for (String collection : List.of(FOLDERS, FILES)) {
      for (Path entry : entries(root.resolve(collection))) {
        Path named = collection.equals(FILES) ? entry.resolve(FILE_NAME) : entry;
        Artifact artifact =
            Artifact.newBuilder()
                .setUri(named.toUri().toString())
                .setSha256(entry.getFileName().toString())
                .build();
        try {
          reader.open(artifact);
          seen++;
        } catch (PlatformException refused) {
          if (refused.code() != ErrorCode.ERROR_CODE_NOT_FOUND || Files.exists(entry)) {
            throw refused; // and not deleted by its publisher meanwhile
          }
        }
      }
    }
    return seen;
  }

  private static List<Path> entries(Path collection) throws IOException {
    if (!Files.isDirectory(collection)) {
      return List.of();
    }
    try (Stream<Path> entries = Files.list(collection)) {
      return entries.filter(entry -> !entry.endsWith(".staging")).toList();
    }
  }
}
