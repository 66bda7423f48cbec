package io.attune.launcher.hub;

import java.io.IOException;

/** A failure of the network or the server that the same request may overcome later. */
final class TransientException extends IOException {
  private static final long serialVersionUID = 1L;

  TransientException(String message) {
    super(message);
  }
}
