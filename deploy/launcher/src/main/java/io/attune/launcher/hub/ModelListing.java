package io.attune.launcher.hub;

import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.EngineException;
import io.attune.engine.checkpoint.JsonFiles;
import io.attune.launcher.local.LauncherException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * What the hub says about a model: {@code GET /api/models/ORG/NAME/revision/REVISION?blobs=true}.
 *
 * @param commit to download from, so that files of two commits never mix
 * @param files every one of them, in the hub's order
 */
record ModelListing(String commit, List<HubFile> files) {
  private static final int MAX_FILES = 10_000;
  private static final int MAX_PATH = 400;
  private static final Pattern COMMIT = Pattern.compile("[0-9a-f]{40}");
  private static final Pattern DIGEST = Pattern.compile("[0-9a-f]{40}|[0-9a-f]{64}");
  private static final Pattern CONTROL = Pattern.compile("[\\p{Cntrl}\\\\:]");

  /**
   * @param where names the origin in messages
   */
  static ModelListing parse(String json, String where) {
    JsonNode root;
    try {
      root = JsonFiles.parse(json, where);
    } catch (EngineException e) {
      throw new LauncherException(e.getMessage() + "; is this a Hugging Face hub?", e);
    }
    String commit = root.path("sha").asText();
    JsonNode siblings = root.path("siblings");
    if (!COMMIT.matcher(commit).matches() || !siblings.isArray() || siblings.size() > MAX_FILES) {
      throw new LauncherException(
          where + " answers without a commit or a list of at most " + MAX_FILES + " files");
    }
    List<HubFile> files = new ArrayList<>();
    Set<String> seen = new HashSet<>();
    for (JsonNode sibling : siblings) {
      String path = sibling.path("rfilename").asText();
      checkPath(path, where);
      if (!seen.add(path)) {
        throw new LauncherException(where + " lists '" + path + "' twice");
      }
      JsonNode lfs = sibling.path("lfs");
      String digest = lfs.path("sha256").asText(sibling.path("blobId").asText());
      long size = lfs.path("size").asLong(sibling.path("size").asLong(-1));
      if (size < 0 || !DIGEST.matcher(digest).matches()) {
        throw new LauncherException(
            where + " gives no size or no digest of '" + path + "', so it could not be checked");
      }
      files.add(new HubFile(path, size, digest));
    }
    return new ModelListing(commit, List.copyOf(files));
  }

  /** Refuses what could lead out of the folder, on any file system. */
  private static void checkPath(String path, String where) {
    boolean safe = !path.isEmpty() && path.length() <= MAX_PATH && !CONTROL.matcher(path).find();
    for (String part : path.split("/", -1)) {
      safe &= !part.isEmpty() && !part.equals(".") && !part.equals("..");
    }
    if (!safe) {
      throw new LauncherException(
          where
              + " lists a file whose name leads elsewhere, '"
              + CONTROL.matcher(path.substring(0, Math.min(path.length(), 80))).replaceAll("?")
              + "'; nothing was downloaded");
    }
  }
}
