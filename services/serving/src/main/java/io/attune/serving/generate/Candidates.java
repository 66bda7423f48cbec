package io.attune.serving.generate;

import io.attune.platform.line.LineSwitch;
import io.attune.platform.line.LineVersion;
import io.attune.platform.line.Pin;
import io.attune.platform.line.Release;
import io.attune.platform.line.ServedLines;
import io.attune.platform.line.ServedVersion;
import io.attune.serving.generate.Generator.LoadedAdapter;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Optional;

/**
 * Versions that are not released, loaded for rollouts: the few used last. One that falls out is
 * closed when its last answer ends.
 */
public final class Candidates implements AutoCloseable {

  private final int max;
  private final ServedLines<LoadedAdapter> lines;
  private final LineSwitch.Loader<LoadedAdapter> loader;
  private final LinkedHashMap<LineVersion, ServedVersion<LoadedAdapter>> loaded =
      new LinkedHashMap<>(8, 0.75f, true);

  public Candidates(
      int max, ServedLines<LoadedAdapter> lines, LineSwitch.Loader<LoadedAdapter> loader) {
    if (max < 1) {
      throw new IllegalArgumentException(
          "attune.serving.max-candidates must be at least 1, got " + max);
    }
    this.max = max;
    this.lines = lines;
    this.loader = loader;
  }

  /** A released version's own pin if it is the same one, else the candidate, loaded if need be. */
  public Pin<LoadedAdapter> pin(Release release) {
    if (lines.version(release.version().line()).filter(release.version()::equals).isPresent()) {
      Pin<LoadedAdapter> active = lines.pin(release.version().line());
      if (active.version().equals(release.version())) {
        return active;
      }
      active.close();
    }
    return pinOrLoad(release);
  }

  private synchronized Pin<LoadedAdapter> pinOrLoad(Release release) {
    ServedVersion<LoadedAdapter> version = loaded.get(release.version());
    if (version == null) {
      version = ServedVersion.of(release.version(), loader.load(release));
      loaded.put(release.version(), version);
      retireOldest();
    }
    return version.pin().orElseThrow();
  }

  /** The candidate that people call {@code line@version}, if it is loaded. */
  synchronized Optional<Pin<LoadedAdapter>> pinLoaded(String name) {
    return loaded.values().stream()
        .filter(version -> version.version().toString().equals(name))
        .findFirst()
        .flatMap(ServedVersion::pin);
  }

  private void retireOldest() {
    Iterator<ServedVersion<LoadedAdapter>> oldest = loaded.values().iterator();
    while (loaded.size() > max) {
      ServedVersion<LoadedAdapter> last = oldest.next();
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
