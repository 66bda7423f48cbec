package io.attune.platform.line;

import io.attune.platform.identity.Tenant;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Optional;

/**
 * Versions that their lines do not serve, or not now, loaded for who names them: the few used last.
 * One that falls out is closed when the last who uses it ends. Thread-safe.
 */
public final class LoadedVersions<H extends AutoCloseable> implements AutoCloseable {

  private final int max;
  private final ServedLines<H> lines;
  private final LineSwitch.Loader<H> loader;
  private final LinkedHashMap<LineVersion, ServedVersion<H>> loaded =
      new LinkedHashMap<>(8, 0.75f, true);

  /**
   * @param max versions kept loaded, at least 1
   */
  public LoadedVersions(int max, ServedLines<H> lines, LineSwitch.Loader<H> loader) {
    if (max < 1) {
      throw new IllegalArgumentException("at least 1 version must be kept loaded, got " + max);
    }
    this.max = max;
    this.lines = lines;
    this.loader = loader;
  }

  /** A served version's own pin if it is the same one, else the named one, loaded if need be. */
  public Pin<H> pin(Release release) {
    LineVersion wanted = release.version();
    if (lines.version(wanted.tenant(), wanted.line()).filter(wanted::equals).isPresent()) {
      Pin<H> active = lines.pin(wanted.tenant(), wanted.line());
      if (active.version().equals(wanted)) {
        return active;
      }
      active.close();
    }
    return pinOrLoad(release);
  }

  private synchronized Pin<H> pinOrLoad(Release release) {
    ServedVersion<H> version = loaded.get(release.version());
    if (version == null) {
      version = ServedVersion.of(release.version(), loader.load(release));
      loaded.put(release.version(), version);
      retireOldest();
    }
    return version.pin().orElseThrow();
  }

  /** The version that people of a tenant call {@code line@version}, if it is loaded here. */
  public synchronized Optional<Pin<H>> pinLoaded(Tenant tenant, String name) {
    return loaded.values().stream()
        .filter(
            version ->
                version.version().tenant().equals(tenant)
                    && version.version().toString().equals(name))
        .findFirst()
        .flatMap(ServedVersion::pin);
  }

  private void retireOldest() {
    Iterator<ServedVersion<H>> oldest = loaded.values().iterator();
    while (loaded.size() > max) {
      ServedVersion<H> last = oldest.next();
      oldest.remove();
      last.retire();
    }
  }

  @Override
  public synchronized void close() {
    loaded.values().forEach(ServedVersion::retire);
    loaded.clear();
  }
}
