package io.attune.platform.storage;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.attune.common.v1.ErrorCode;
import io.attune.platform.error.PlatformException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * The files of a published folder: {@code {"files":{"name":{"sha256":"…","size_bytes":1}}}}, with
 * sorted keys and no white space, so that equal folders have equal manifests.
 */
record Manifest(SortedMap<String, Entry> files) {

  static final String FILE_NAME = "manifest.json";

  private static final ObjectMapper JSON =
      new ObjectMapper().configure(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS, true);

  record Entry(@JsonProperty("sha256") String sha256, @JsonProperty("size_bytes") long sizeBytes) {}

  /** Digests every file of a flat folder. */
  static Manifest of(Path folder) throws IOException {
    SortedMap<String, Entry> files = new TreeMap<>();
    for (Path file : list(folder)) {
      if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
        throw new IllegalArgumentException(
            "only plain files can be published, and %s is none".formatted(file));
      }
      String name = file.getFileName().toString();
      if (!name.equals(FILE_NAME)) {
        files.put(name, new Entry(Digests.sha256(file), Files.size(file)));
      }
    }
    return new Manifest(files);
  }

  static Manifest parse(byte[] bytes) throws IOException {
    Map<String, SortedMap<String, Entry>> read =
        JSON.readValue(bytes, new TypeReference<Map<String, SortedMap<String, Entry>>>() {});
    SortedMap<String, Entry> files = read.get("files");
    if (files == null) {
      throw new IOException("no \"files\"");
    }
    return new Manifest(files);
  }

  byte[] toBytes() throws IOException {
    return JSON.writeValueAsBytes(Map.of("files", files));
  }

  long sizeBytes() {
    return files.values().stream().mapToLong(Entry::sizeBytes).sum();
  }

  /** Fails unless the folder holds exactly these files with exactly this content. */
  void check(Path folder) throws IOException {
    for (Map.Entry<String, Entry> file : files.entrySet()) {
      Path path = folder.resolve(file.getKey()).normalize();
      if (!folder.equals(path.getParent())) {
        throw corrupt(folder, "its manifest names a file outside of it");
      }
      if (!Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)) {
        throw corrupt(folder, file.getKey() + " is missing");
      }
      if (Files.size(path) != file.getValue().sizeBytes()
          || !Digests.sha256(path).equals(file.getValue().sha256())) {
        throw corrupt(folder, file.getKey() + " is not what was published");
      }
    }
    for (Path file : list(folder)) {
      String name = file.getFileName().toString();
      if (!name.equals(FILE_NAME) && !files.containsKey(name)) {
        throw corrupt(folder, name + " is not in its manifest");
      }
    }
  }

  private static List<Path> list(Path folder) throws IOException {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries.sorted().toList();
    }
  }

  private static PlatformException corrupt(Path folder, String why) {
    return new PlatformException(
        ErrorCode.ERROR_CODE_CORRUPT,
        "The artifact at %s cannot be used: %s. Restore it from a backup.".formatted(folder, why));
  }
}
