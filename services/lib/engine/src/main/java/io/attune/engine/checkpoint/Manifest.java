package io.attune.engine.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Digests of a folder's files, stored in it as {@code manifest.json}: {@code
 * {"files":{"name":{"sha256":..,"size_bytes":..}}}}, names sorted, no white space. The digest of
 * those bytes is the identity of the folder.
 */
public record Manifest(SortedMap<String, Entry> files) {
  public static final String FILE = "manifest.json";
  private static final long MAX_BYTES = 16L << 20;

  /**
   * @param sha256 lower-case hexadecimal
   */
  public record Entry(String sha256, long sizeBytes) {}

  /** Digests every file of a folder, except the manifest itself; refuses folders within it. */
  public static Manifest of(Path folder) {
    SortedMap<String, Entry> files = new TreeMap<>();
    try (Stream<Path> list = Files.list(folder)) {
      for (Path file : list.toList()) {
        String name = file.getFileName().toString();
        if (name.equals(FILE)) {
          continue;
        }
        if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
          throw new EngineException(Reason.INVALID_ARGUMENT, file + " is not a plain file");
        }
        files.put(name, new Entry(Digests.sha256(file), Files.size(file)));
      }
    } catch (IOException e) {
      throw new EngineException(Reason.IO, "cannot list " + folder + ": " + e, e);
    }
    return new Manifest(files);
  }

  /** Reads a folder's manifest, without looking at the files. */
  public static Manifest read(Path folder) {
    ObjectNode root =
        JsonFiles.readObject(
            ModelFiles.find(folder, FILE)
                .orElseThrow(() -> new EngineException(Reason.CORRUPT, folder + " has no " + FILE)),
            MAX_BYTES);
    SortedMap<String, Entry> files = new TreeMap<>();
    if (!root.path("files").isObject()) {
      throw new EngineException(Reason.CORRUPT, folder + "/" + FILE + " has no 'files'");
    }
    for (Map.Entry<String, JsonNode> file : root.get("files").properties()) {
      String name = file.getKey();
      if (name.isEmpty() || name.contains("/") || name.contains("\\") || name.startsWith("..")) {
        throw new EngineException(Reason.CORRUPT, folder + "/" + FILE + " names '" + name + "'");
      }
      files.put(
          name,
          new Entry(
              file.getValue().path("sha256").asText(),
              file.getValue().path("size_bytes").asLong(-1)));
    }
    return new Manifest(files);
  }

  /** Digests a folder and writes its {@code manifest.json}. */
  public static Manifest write(Path folder) {
    Manifest manifest = of(folder);
    AtomicFiles.write(folder.resolve(FILE), manifest.toJson());
    return manifest;
  }

  /** Refuses a folder whose files are not exactly those of this manifest. */
  public void verify(Path folder) {
    Manifest found = of(folder);
    for (Map.Entry<String, Entry> file : files.entrySet()) {
      Entry actual = found.files.get(file.getKey());
      if (!file.getValue().equals(actual)) {
        throw new EngineException(
            Reason.CORRUPT,
            folder.resolve(file.getKey())
                + (actual == null
                    ? " is missing"
                    : " is not the file that its manifest describes"));
      }
    }
    for (String name : found.files.keySet()) {
      if (!files.containsKey(name)) {
        throw new EngineException(Reason.CORRUPT, folder.resolve(name) + " is not in the manifest");
      }
    }
  }

  public byte[] toJson() {
    ObjectNode root = JsonFiles.newObject();
    ObjectNode list = root.putObject("files");
    files.forEach(
        (name, entry) ->
            list.putObject(name)
                .put("sha256", entry.sha256())
                .put("size_bytes", entry.sizeBytes()));
    return JsonFiles.compact(root);
  }

  /** The identity of the folder. */
  public String sha256() {
    return Digests.sha256(toJson());
  }
}
