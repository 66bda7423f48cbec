package io.attune.acceptance.chaos;

import java.nio.ByteBuffer;

/** Follows a stream of frames with their length in front, and shows the beginning of each. */
final class Frames {

  /** Looks at the first bytes of a frame, its length included. */
  @FunctionalInterface
  interface Look {
    /** Whether the frame may pass. */
    boolean mayPass(ByteBuffer head);
  }

  private final int before;
  private final boolean countsItself;
  private final Look look;
  private final ByteBuffer head;
  private int wanted;
  private long rest;

  /**
   * @param before bytes in front of the length
   * @param countsItself whether the length counts its own four bytes
   * @param shown bytes after the length that are to be shown, where the frame has as many
   */
  Frames(int before, boolean countsItself, int shown, Look look) {
    this.before = before;
    this.countsItself = countsItself;
    this.look = look;
    this.head = ByteBuffer.allocate(before + Integer.BYTES + shown);
    this.wanted = before + Integer.BYTES;
  }

  /** Reads on; how many of the bytes may pass: all, or those before the first that may not. */
  int accept(byte[] bytes, int n) {
    int frame = 0;
    int i = 0;
    while (i < n) {
      if (rest > 0) {
        int skipped = (int) Math.min(rest, n - i);
        rest -= skipped;
        i += skipped;
        continue;
      }
      if (head.position() == 0) {
        frame = i;
      }
      head.put(bytes[i++]);
      int lengthEnd = before + Integer.BYTES;
      if (head.position() == lengthEnd) {
        wanted = Math.min(head.capacity(), lengthEnd + body());
      }
      if (head.position() == wanted && wanted >= lengthEnd && !whole()) {
        return frame;
      }
    }
    return n;
  }

  /** The head is complete: the frame passes, and the next one comes. */
  private boolean whole() {
    int body = body();
    int shown = head.position() - before - Integer.BYTES;
    if (shown < Math.min(body, head.capacity() - before - Integer.BYTES)) {
      return true; // its length alone is known so far
    }
    boolean passes = look.mayPass(head.flip());
    head.clear();
    wanted = before + Integer.BYTES;
    rest = body - shown;
    return passes;
  }

  private int body() {
    return head.getInt(before) - (countsItself ? Integer.BYTES : 0);
  }
}
