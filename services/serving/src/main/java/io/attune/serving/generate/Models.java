package io.attune.serving.generate;

import io.attune.common.v1.ErrorCode;
import io.attune.platform.error.PlatformException;
import io.attune.platform.identity.Tenant;
import io.attune.platform.line.LineVersion;
import io.attune.platform.line.LoadedVersions;
import io.attune.platform.line.Pin;
import io.attune.platform.line.ServedLines;
import io.attune.platform.line.ServedVersion;
import io.attune.serving.generate.Generator.LoadedAdapter;
import java.util.ArrayList;
import java.util.List;

/** The names that can be asked, and the version behind each. */
public final class Models {

  /**
   * A name that can be asked.
   *
   * @param parent the base model's name; empty for the base model itself
   */
  public record Entry(String name, LineVersion adapter, String parent) {}

  private final String baseName;
  private final String defaultLine;
  private final ServedLines<LoadedAdapter> lines;
  private final LoadedVersions<LoadedAdapter> candidates;

  /**
   * @throws IllegalArgumentException if the base model is named like the default line
   */
  public Models(
      String baseName,
      String defaultLine,
      ServedLines<LoadedAdapter> lines,
      LoadedVersions<LoadedAdapter> candidates) {
    if (baseName.equals(defaultLine)) {
      throw new IllegalArgumentException(
          "attune.base-model-name and attune.serving.default-line are both \""
              + baseName
              + "\"; callers tell them apart by name");
    }
    this.baseName = baseName;
    this.defaultLine = defaultLine;
    this.lines = lines;
    this.candidates = candidates;
  }

  public String baseName() {
    return baseName;
  }

  public String defaultLine() {
    return defaultLine;
  }

  /** The base model first, which is everybody's, then the tenant's lines by name. */
  public List<Entry> list(Tenant tenant) {
    var entries = new ArrayList<Entry>();
    entries.add(new Entry(baseName, LineVersion.base(tenant, baseName), ""));
    lines
        .versions(tenant)
        .forEach((line, version) -> entries.add(new Entry(line, version, baseName)));
    return entries;
  }

  /**
   * Fixes the version that answers a tenant's call to the name.
   *
   * @throws PlatformException NOT_FOUND for an unknown name or a version that is not loaded
   */
  public Pin<LoadedAdapter> pin(Tenant tenant, String name) {
    if (name.equals(baseName)) {
      return ServedVersion.<LoadedAdapter>base(tenant, baseName).pin().orElseThrow();
    }
    int at = name.lastIndexOf('@');
    if (at < 0) {
      return lines.pin(tenant, name);
    }
    return pinVersion(tenant, name, name.substring(0, at), name.substring(at + 1));
  }

  private Pin<LoadedAdapter> pinVersion(Tenant tenant, String name, String line, String version) {
    Pin<LoadedAdapter> active = lines.pin(tenant, line);
    if (Long.toString(active.version().version()).equals(version)) {
      return active;
    }
    active.close();
    return candidates
        .pinLoaded(tenant, name)
        .orElseThrow(
            () ->
                new PlatformException(
                    ErrorCode.ERROR_CODE_NOT_FOUND,
                    "Version \"%s\" of line \"%s\" is not loaded; \"%s\" without a version asks the active one."
                        .formatted(version, line, line)));
  }
}
