package io.attune.platform.line;

import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/** Keeps one version loaded for as long as a request needs it. Closing it twice does nothing. */
public final class Pin<H extends AutoCloseable> implements AutoCloseable {

  private final ServedVersion<H> served;
  private final AtomicBoolean closed = new AtomicBoolean();

  Pin(ServedVersion<H> served) {
    this.served = served;
  }

  public LineVersion version() {
    return served.version();
  }

  /** What was loaded; empty for the base model. */
  public Optional<H> handle() {
    return served.handle();
  }

  /** Another pin of the same version, whatever the line has by now. This one must be open. */
  public Pin<H> again() {
    return served.pin().orElseThrow(() -> new IllegalStateException("the pin is closed"));
  }

  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      served.release();
    }
  }
}
