package io.attune.manifests;

import java.nio.file.Files;
import java.nio.file.Path;

/** Where the repository's files are. */
public final class Project {
  private Project() {}

  /** The top folder, wherever below it the tests are started. */
  public static Path root() {
    Path folder = Path.of("").toAbsolutePath();
    while (!Files.isDirectory(folder.resolve("k8s"))
        || !Files.isDirectory(folder.resolve("proto"))) {
      folder = folder.getParent();
    }
    return folder;
  }
}
