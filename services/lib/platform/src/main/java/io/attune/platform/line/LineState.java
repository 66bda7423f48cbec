package io.attune.platform.line;

import io.attune.platform.identity.Tenant;
import io.attune.training.v1.LineKind;
import java.util.Optional;

/**
 * The whole state of a line.
 *
 * @param revision counts the line's changes; a smaller one than the last seen is out of date
 * @param active what must be served; empty for the base model
 * @param traceparent the span that changed the line; null where it is not known
 */
public record LineState(
    Tenant tenant,
    String line,
    LineKind kind,
    long revision,
    Optional<Release> active,
    String traceparent) {

  /** The state, whoever changed it. */
  public LineState(
      Tenant tenant, String line, LineKind kind, long revision, Optional<Release> active) {
    this(tenant, line, kind, revision, active, null);
  }

  LineKey key() {
    return new LineKey(tenant, line);
  }

  /** The state without who changed it, which may be long ago. */
  LineState outsideOfTrace() {
    return new LineState(tenant, line, kind, revision, active);
  }

  /** The version that must be served. */
  public LineVersion version() {
    return active.map(Release::version).orElseGet(() -> LineVersion.base(tenant, line));
  }
}
