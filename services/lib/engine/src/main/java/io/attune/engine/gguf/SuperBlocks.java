package io.attune.engine.gguf;

import java.nio.ByteBuffer;

/** The K-quants: super-blocks of 256 elements, whose parts have small integer scales each. */
final class SuperBlocks {
  private static final int PART = 32;

  private SuperBlocks() {}

  /** d, dmin (float16), 12 bytes of scales and minima, 128 bytes of half-byte elements. */
  static void q4k(ByteBuffer in, int at, float[] out, int to) {
    for (int part = 0; part < 8; part++) {
      float scale = half(in, at) * scale(in, at + 4, part);
      float minimum = half(in, at + 2) * minimum(in, at + 4, part);
      int from = at + 16 + part / 2 * PART;
      int shift = part % 2 * 4;
      for (int i = 0; i < PART; i++) {
        out[to + part * PART + i] = scale * (in.get(from + i) >> shift & 0xF) - minimum;
      }
    }
  }

  /** As Q4_K with 32 bytes of fifth bits before the half-bytes: bit p of byte i is part p's. */
  static void q5k(ByteBuffer in, int at, float[] out, int to) {
    for (int part = 0; part < 8; part++) {
      float scale = half(in, at) * scale(in, at + 4, part);
      float minimum = half(in, at + 2) * minimum(in, at + 4, part);
      int from = at + 48 + part / 2 * PART;
      int shift = part % 2 * 4;
      for (int i = 0; i < PART; i++) {
        int q = in.get(from + i) >> shift & 0xF | (in.get(at + 16 + i) >> part & 1) << 4;
        out[to + part * PART + i] = scale * q - minimum;
      }
    }
  }

  /** 128 bytes of low halves, 64 of high quarters, 16 signed scales, d (float16). */
  static void q6k(ByteBuffer in, int at, float[] out, int to) {
    float d = half(in, at + 208);
    for (int part = 0; part < 8; part++) {
      int low = at + part / 4 * 64 + part % 2 * PART;
      int lowShift = part % 4 / 2 * 4;
      int high = at + 128 + part / 4 * PART;
      int highShift = part % 4 * 2;
      for (int i = 0; i < PART; i++) {
        float scale = d * in.get(at + 192 + part * 2 + i / 16);
        int q = in.get(low + i) >> lowShift & 0xF | (in.get(high + i) >> highShift & 3) << 4;
        out[to + part * PART + i] = scale * (q - 32);
      }
    }
  }

  /**
   * Twelve bytes hold eight 6-bit scales and eight 6-bit minima: the first four of each in bytes of
   * their own, the last four with their low halves in bytes 8 to 11 and their upper two bits on top
   * of the first ones.
   */
  private static int scale(ByteBuffer in, int at, int part) {
    return part < 4
        ? in.get(at + part) & 0x3F
        : in.get(at + part + 4) & 0xF | in.get(at + part - 4) >> 2 & 0x30;
  }

  private static int minimum(ByteBuffer in, int at, int part) {
    return part < 4
        ? in.get(at + part + 4) & 0x3F
        : in.get(at + part + 4) >> 4 & 0xF | in.get(at + part) >> 2 & 0x30;
  }

  private static float half(ByteBuffer in, int at) {
    return HalfPrecision.fromFloat16(in.getShort(at));
  }
}
