package io.attune.platform.storage;

import io.attune.common.v1.Artifact;
import java.nio.file.Path;

/**
 * Weights and snapshots, by content. What is published appears whole or not at all, is never
 * overwritten, and is checked against its digest whenever it is opened.
 */
public interface ObjectStore {

  /**
   * A new empty folder on the store's own file system, to write into before publishing.
   *
   * @param collection for example "adapters" or "snapshots"
   */
  Path stage(String collection);

  /**
   * Publishes a staged folder under the digest of its manifest, which is written here.
   *
   * <p>The folder is gone afterwards, also when equal content was there already, and when it could
   * not be published: stage it anew then.
   *
   * @return digest of manifest.json and the bytes of all files
   */
  Artifact publishFolder(String collection, Path staged);

  /**
   * Publishes the one file of a staged folder under the file's own digest.
   *
   * @return the file, by its own digest and size
   */
  Artifact publishFile(String collection, Path staged, String fileName);

  /**
   * Opens what an artifact names, after checking every digest.
   *
   * @return a folder or file on this machine, to be read only
   * @throws io.attune.platform.error.PlatformException NOT_FOUND if it is not there, CORRUPT if a
   *     digest differs, INVALID_ARGUMENT if the URI points out of the store
   */
  Path open(Artifact artifact);

  /**
   * Deletes what an artifact names, which must be the only one of its content. One that is gone
   * already is no error.
   *
   * @throws io.attune.platform.error.PlatformException INVALID_ARGUMENT if the URI points out of
   *     the store, UNAVAILABLE if it cannot be deleted now
   */
  void delete(Artifact artifact);
}
