package io.attune.engine.fuzz;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;

/** Mutations that know nothing of a format. */
public final class ByteEdits {
  /** Values at which lengths and sizes go wrong. */
  private static final long[] EDGES = {
    0,
    1,
    -1,
    127,
    128,
    255,
    256,
    Short.MAX_VALUE,
    65535,
    Integer.MAX_VALUE,
    Integer.MIN_VALUE,
    1L << 32,
    Long.MAX_VALUE,
    Long.MIN_VALUE,
    100_000_000,
    1L << 40
  };

  private ByteEdits() {}

  /**
   * One to four edits.
   *
   * @param other a file to take parts from
   */
  public static byte[] edit(byte[] file, byte[] other, Random random) {
    byte[] result = file.clone();
    int edits = 1 + random.nextInt(1 + random.nextInt(4));
    for (int i = 0; i < edits; i++) {
      result = once(result, other, random);
    }
    return result;
  }

  private static byte[] once(byte[] file, byte[] other, Random random) {
    int at = position(file.length, random);
    int length = 1 + random.nextInt(1 << random.nextInt(8));
    return switch (random.nextInt(8)) {
      case 0 -> flipped(file, at, random);
      case 1 -> Arrays.copyOf(file, at);
      case 2 -> splice(file, at, at, randomBytes(length, random));
      case 3 -> splice(file, at, Math.min(file.length, at + length), new byte[0]);
      case 4 -> splice(file, at, Math.min(file.length, at + length), part(other, length, random));
      case 5 -> splice(file, at, at, part(file, length, random));
      case 6 -> number(file, at, random);
      default -> splice(file, at, Math.min(file.length, at + 1), randomBytes(1, random));
    };
  }

  /** Often near the beginning, where headers and lengths are. */
  private static int position(int length, Random random) {
    return random.nextInt(1 + (random.nextInt(4) == 0 ? Math.min(length, 64) : length));
  }

  private static byte[] flipped(byte[] file, int at, Random random) {
    if (at < file.length) {
      file[at] ^= (byte) (1 << random.nextInt(8));
    }
    return file;
  }

  /** Overwrites 1, 2, 4 or 8 bytes with a number at an edge, or one near what is there. */
  private static byte[] number(byte[] file, int at, Random random) {
    int width = 1 << random.nextInt(4);
    int start = Math.max(0, Math.min(at, file.length - width));
    byte[] bytes = new byte[Long.BYTES];
    System.arraycopy(file, start, bytes, 0, Math.min(width, file.length - start));
    ByteBuffer number = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    number.putLong(
        0,
        random.nextBoolean()
            ? EDGES[random.nextInt(EDGES.length)]
            : number.getLong(0) + random.nextInt(17) - 8);
    System.arraycopy(bytes, 0, file, start, Math.min(width, file.length - start));
    return file;
  }

  private static byte[] part(byte[] of, int length, Random random) {
    if (of.length == 0) {
      return of;
    }
    int from = random.nextInt(of.length);
    return Arrays.copyOfRange(of, from, Math.min(of.length, from + length));
  }

  private static byte[] randomBytes(int length, Random random) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return bytes;
  }

  private static byte[] splice(byte[] file, int from, int to, byte[] replacement) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(file, 0, from);
    out.writeBytes(replacement);
    out.write(file, to, file.length - to);
    return out.toByteArray();
  }
}
