package io.attune.platform.storage;

import io.attune.platform.identity.Tenant;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A local folder for all tenants: {@code <root>/tenants/<tenant>}, and for the default one the root
 * itself, where its files were before there were tenants.
 */
public final class FolderStores implements ObjectStores {

  private static final String TENANTS = "tenants";

  private final Path root;
  private final Map<Tenant, ObjectStore> stores = new ConcurrentHashMap<>();

  public FolderStores(Path root) {
    this.root = root;
  }

  @Override
  public ObjectStore of(Tenant tenant) {
    return stores.computeIfAbsent(tenant, its -> new FolderStore(folder(its)));
  }

  private Path folder(Tenant tenant) {
    if (tenant.isDefault()) {
      return root;
    }
    Path folder = root.resolve(TENANTS).resolve(tenant.name());
    if (!Files.isDirectory(folder)) {
      try {
        Files.createDirectories(folder);
        // What is published in it is there after a crash only if it is.
        sync(folder.getParent());
        sync(root);
      } catch (IOException failed) {
        throw new UncheckedIOException("cannot make the folder " + folder, failed);
      }
    }
    return folder;
  }

  private static void sync(Path folder) throws IOException {
    try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }
}
