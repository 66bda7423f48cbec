package io.attune.launcher.hub;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * Ends a read that brings nothing for too long: a body that an HTTP client hands over as a stream
 * has no time limit of its own. What breaks a read here may go well another time.
 */
final class StallGuard extends FilterInputStream {
  private final Duration limit;
  private volatile boolean stalled;

  StallGuard(InputStream in, Duration limit) {
    super(in);
    this.limit = limit;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] into, int offset, int length) throws IOException {
    CompletableFuture<Void> alarm = new CompletableFuture<>();
    alarm.completeOnTimeout(null, limit.toMillis(), TimeUnit.MILLISECONDS);
    CompletableFuture<Void> unused = alarm.thenRun(this::closeStalled);
    int read;
    try {
      read = in.read(into, offset, length);
    } catch (IOException e) {
      throw stalled ? stalled() : new TransientException("the connection broke: " + e.getMessage());
    } finally {
      alarm.cancel(false);
    }
    // A stream that was closed may also report its end.
    if (stalled) {
      throw stalled();
    }
    return read;
  }

  private TransientException stalled() {
    return new TransientException("nothing came for " + limit.toMillis() / 1000.0 + " seconds");
  }

  private void closeStalled() {
    stalled = true;
    try {
      in.close();
    } catch (IOException e) {
      // The read that this ends reports the stall.
    }
  }
}
