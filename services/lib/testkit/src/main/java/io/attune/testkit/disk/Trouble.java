package io.attune.testkit.disk;

import java.io.IOException;

/** What goes wrong on a {@link FaultyDisk}. */
@FunctionalInterface
public interface Trouble {

  /** What is about to be done to the disk. */
  enum Operation {
    CREATE_FOLDER,
    OPEN_TO_WRITE,
    WRITE,
    SYNC,
    MOVE,
    DELETE
  }

  /** Nothing does. */
  Trouble NONE = (operation, number, bytes) -> bytes;

  /**
   * Comes before each operation that changes the disk.
   *
   * @param number of the operation, from 1
   * @param bytes to be written; 0 where nothing is
   * @return how many of these bytes are written; after fewer, the disk is full
   * @throws IOException and the operation does not take place
   */
  int before(Operation operation, long number, int bytes) throws IOException;

  /** The process ends at an operation: neither that one nor any later one takes place. */
  static Trouble end(long at) {
    return (operation, number, bytes) -> {
      if (number >= at) {
        throw new ProcessEnd();
      }
      return bytes;
    };
  }

  /** One operation fails. */
  static Trouble inputOutputError(long at) {
    return (operation, number, bytes) -> {
      if (number == at) {
        throw new IOException("Input/output error");
      }
      return bytes;
    };
  }

  /** The disk takes so many bytes. */
  static Trouble full(long capacity) {
    return new Trouble() {
      private long free = capacity;

      @Override
      public int before(Operation operation, long number, int bytes) {
        int taken = (int) Math.min(free, bytes);
        free -= taken;
        return taken;
      }
    };
  }

  /** In place of {@code kill -9}: no handler for failures of the disk stops it. */
  final class ProcessEnd extends Error {
    private static final long serialVersionUID = 1L;
  }
}
