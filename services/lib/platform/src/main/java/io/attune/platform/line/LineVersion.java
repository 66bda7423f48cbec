package io.attune.platform.line;

import io.attune.common.v1.AdapterVersion;

/**
 * One version of one adapter line.
 *
 * @param version counts up from 1; 0 is the base model without an adapter
 * @param sha256 the digest of the adapter's manifest; empty for version 0
 */
public record LineVersion(String line, long version, String sha256) {

  /** The base model under a line's name. */
  public static LineVersion base(String line) {
    return new LineVersion(line, 0, "");
  }

  public static LineVersion of(AdapterVersion proto) {
    return new LineVersion(proto.getLine(), proto.getVersion(), proto.getSha256());
  }

  public AdapterVersion toProto() {
    return AdapterVersion.newBuilder().setLine(line).setVersion(version).setSha256(sha256).build();
  }

  /** For example {@code assistant@3}: how people write it. */
  @Override
  public String toString() {
    return line + "@" + version;
  }
}
