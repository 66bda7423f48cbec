package io.attune.platform.line;

import io.attune.common.v1.ErrorCode;
import io.attune.platform.error.PlatformException;
import io.attune.platform.identity.Tenant;
import java.util.HashMap;
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

  private volatile Map<LineKey, Slot<H>> slots = Map.of();

  /** Once all lines are known: the line that everybody has, as the base model at first. */
  private volatile String complete;

  /**
   * Pins the version that a tenant's line has now.
   *
   * @throws PlatformException NOT_FOUND for an unknown line, UNAVAILABLE for one whose first
   *     version could not be loaded, and while it is still being read which lines there are
   */
  public Pin<H> pin(Tenant tenant, String line) {
    while (true) {
      Slot<H> slot = slots.get(new LineKey(tenant, line));
      if (slot == null && complete == null) {
        throw new PlatformException(
            ErrorCode.ERROR_CODE_UNAVAILABLE,
            "Which versions are released is still being read; try again in a moment.");
      }
      if (slot == null && line.equals(complete)) {
        return ServedVersion.<H>base(tenant, line).pin().orElseThrow();
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

  /** The versions by line, of a tenant's lines that have one; ordered by name. */
  public Map<String, LineVersion> versions(Tenant tenant) {
    var versions = new TreeMap<String, LineVersion>();
    String everybodys = complete;
    Map<LineKey, Slot<H>> now = slots;
    if (everybodys != null && !now.containsKey(new LineKey(tenant, everybodys))) {
      versions.put(everybodys, LineVersion.base(tenant, everybodys));
    }
    now.forEach(
        (line, slot) -> {
          if (line.tenant().equals(tenant) && slot.served() != null) {
            versions.put(line.line(), slot.served().version());
          }
        });
    return versions;
  }

  /** How many lines have a version, of all tenants. */
  public int size() {
    return (int) slots.values().stream().filter(slot -> slot.served() != null).count();
  }

  /** The version that a tenant's line has, if any. */
  public Optional<LineVersion> version(Tenant tenant, String line) {
    return Optional.ofNullable(slots.get(new LineKey(tenant, line)))
        .map(Slot::served)
        .map(ServedVersion::version);
  }

  /** Switches the line to a loaded version; the old one closes when its last pin does. */
  public synchronized void serve(ServedVersion<H> next) {
    Slot<H> old = replace(next.version().key(), new Slot<>(next, null));
    if (old != null && old.served() != null) {
      old.served().retire();
    }
  }

  /**
   * To be called when all lines are known: a tenant without a line of this name has the base model
   * under it.
   */
  public void completeWithBase(String line) {
    complete = line;
  }

  /** Notes that a line's version could not be loaded. A version that is served stays. */
  synchronized void failed(LineKey line, String failure) {
    Slot<H> old = slots.get(line);
    if (old == null || old.served() == null) {
      replace(line, new Slot<>(null, failure));
    }
  }

  private Slot<H> replace(LineKey line, Slot<H> slot) {
    var next = new HashMap<>(slots);
    Slot<H> old = next.put(line, slot);
    slots = Map.copyOf(next);
    return old;
  }

  /** Retires every version. */
  @Override
  public synchronized void close() {
    Map<LineKey, Slot<H>> last = slots;
    slots = Map.of();
    last.values().stream().map(Slot::served).filter(s -> s != null).forEach(ServedVersion::retire);
  }
}
