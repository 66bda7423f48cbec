package io.attune.platform.line;

import io.attune.common.v1.ErrorCode;
import io.attune.platform.error.PlatformException;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Which version of each line is served now. Readers see one immutable snapshot of all lines; a
 * switch replaces the snapshot in one step, so that a request has either the old version or the new
 * one, all of it.
 */
public final class ServedLines<H extends AutoCloseable> implements AutoCloseable {

  /** What a line has: a version, or the reason why none could be loaded yet. */
  private record Slot<H extends AutoCloseable>(ServedVersion<H> served, String failure) {}

  private volatile Map<String, Slot<H>> slots = Map.of();
  private volatile boolean complete;

  /**
   * Pins the version that the line has now.
   *
   * @throws PlatformException NOT_FOUND for an unknown line, UNAVAILABLE for one whose first
   *     version could not be loaded, and while it is still being read which lines there are
   */
  public Pin<H> pin(String line) {
    while (true) {
      Slot<H> slot = slots.get(line);
      if (slot == null && !complete) {
        throw new PlatformException(
            ErrorCode.ERROR_CODE_UNAVAILABLE,
            "Which versions are released is still being read; try again in a moment.");
      }
      if (slot == null) {
        throw new PlatformException(
            ErrorCode.ERROR_CODE_NOT_FOUND,
            "There is no model or adapter line named \""
                + line
                + "\"; list the models to see which.");
      }
      if (slot.served() == null) {
        throw new PlatformException(
            ErrorCode.ERROR_CODE_UNAVAILABLE,
            "No version of line \"" + line + "\" could be loaded yet: " + slot.failure());
      }
      Optional<Pin<H>> pin = slot.served().pin();
      if (pin.isPresent()) {
        return pin.get();
      }
      // It was closed between the two reads, so the snapshot has changed: look again.
    }
  }

  /** The versions by line, of the lines that have one; ordered by name. */
  public Map<String, LineVersion> versions() {
    var versions = new TreeMap<String, LineVersion>();
    slots.forEach(
        (line, slot) -> {
          if (slot.served() != null) {
            versions.put(line, slot.served().version());
          }
        });
    return versions;
  }

  /** The version that the line has, if any. */
  public Optional<LineVersion> version(String line) {
    return Optional.ofNullable(slots.get(line)).map(Slot::served).map(ServedVersion::version);
  }

  /** Switches the line to a loaded version; the old one closes when its last pin does. */
  public synchronized void serve(ServedVersion<H> next) {
    Slot<H> old = replace(next.version().line(), new Slot<>(next, null));
    if (old != null && old.served() != null) {
      old.served().retire();
    }
  }

  /**
   * To be called when all lines are known: serves the base model under a line's name, unless the
   * line is among them.
   */
  public synchronized void completeWithBase(String line) {
    if (!slots.containsKey(line)) {
      serve(ServedVersion.base(line));
    }
    complete = true;
  }

  /** Notes that a line's version could not be loaded. A version that is served stays. */
  synchronized void failed(String line, String failure) {
    Slot<H> old = slots.get(line);
    if (old == null || old.served() == null) {
      replace(line, new Slot<>(null, failure));
    }
  }

  private Slot<H> replace(String line, Slot<H> slot) {
    var next = new TreeMap<>(slots);
    Slot<H> old = next.put(line, slot);
    slots = Map.copyOf(next);
    return old;
  }

  /** Retires every version. */
  @Override
  public synchronized void close() {
    Map<String, Slot<H>> last = slots;
    slots = Map.of();
    last.values().stream().map(Slot::served).filter(s -> s != null).forEach(ServedVersion::retire);
  }
}
