package io.attune.platform.storage;

import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;
import java.nio.file.Path;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/** The object stores below what {@code attune.storage.root} names. */
public final class StorageBeans {

  @Produces
  @Singleton
  ObjectStores objectStores(@ConfigProperty(name = "attune.storage.root") String root) {
    if (root.contains("://")) {
      throw new IllegalArgumentException(
          "attune.storage.root is %s, and only a local folder can be used so far; name one that all"
                  .formatted(root)
              + " services share");
    }
    return new FolderStores(Path.of(root));
  }
}
