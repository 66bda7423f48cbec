package io.attune.platform.line;

import io.attune.common.v1.AdapterVersion;
import io.attune.platform.identity.Tenant;

/**
 * One version of one adapter line.
 *
 * @param tenant whose line it is: lines of the same name in two tenants are two lines
 * @param version counts up from 1; 0 is the base model without an adapter
 * @param sha256 the digest of the adapter's manifest; empty for version 0
 */
public record LineVersion(Tenant tenant, String line, long version, String sha256) {

  /** The base model under a line's name. */
  public static LineVersion base(Tenant tenant, String line) {
    return new LineVersion(tenant, line, 0, "");
  }

  public static LineVersion of(Tenant tenant, AdapterVersion proto) {
    return new LineVersion(tenant, proto.getLine(), proto.getVersion(), proto.getSha256());
  }

  public AdapterVersion toProto() {
    return AdapterVersion.newBuilder().setLine(line).setVersion(version).setSha256(sha256).build();
  }

  /** Its line. */
  LineKey key() {
    return new LineKey(tenant, line);
  }

  /** For example {@code assistant@3}: how people of its tenant write it. */
  @Override
  public String toString() {
    return line + "@" + version;
  }
}
