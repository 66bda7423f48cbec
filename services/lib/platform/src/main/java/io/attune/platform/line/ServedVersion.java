package io.attune.platform.line;

import io.attune.platform.error.Loggable;
import io.attune.platform.identity.Tenant;
import java.util.Optional;
import org.jboss.logging.Logger;

/**
 * A loaded version, shared by all who use it. Its handle is closed when the owner has retired it
 * and the last pin is closed, whichever comes last, and not before.
 */
public final class ServedVersion<H extends AutoCloseable> {

  private static final Logger LOG = Logger.getLogger(ServedVersion.class);

  private final LineVersion version;
  private final H handle;
  // The owner counts as one user until it retires the version.
  private int users = 1;
  private boolean retired;

  private ServedVersion(LineVersion version, H handle) {
    this.version = version;
    this.handle = handle;
  }

  /** A version with something to close. */
  public static <H extends AutoCloseable> ServedVersion<H> of(LineVersion version, H handle) {
    return new ServedVersion<>(version, handle);
  }

  /** The base model under a line's name: nothing was loaded for it, nothing is closed. */
  public static <H extends AutoCloseable> ServedVersion<H> base(Tenant tenant, String line) {
    return new ServedVersion<>(LineVersion.base(tenant, line), null);
  }

  public LineVersion version() {
    return version;
  }

  /** A pin, or empty when the version is closed already: look again which one is served. */
  public synchronized Optional<Pin<H>> pin() {
    if (users == 0) {
      return Optional.empty();
    }
    users++;
    return Optional.of(new Pin<>(this));
  }

  /** The owner lets go of it. Idempotent. */
  public void retire() {
    synchronized (this) {
      if (retired) {
        return;
      }
      retired = true;
    }
    release();
  }

  Optional<H> handle() {
    return Optional.ofNullable(handle);
  }

  void release() {
    synchronized (this) {
      users--;
      if (users > 0) {
        return;
      }
    }
    if (handle != null) {
      close();
    }
  }

  private void close() {
    try {
      handle.close();
      LOG.infof("Version closed tenant=%s version=%s", version.tenant(), version);
    } catch (Exception failed) {
      // Nobody uses it any more; what it leaks is all that is lost.
      LOG.errorf(Loggable.of(failed), "Version could not be closed version=%s", version);
    }
  }
}
