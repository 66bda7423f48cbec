package io.attune.engine.gguf;

import java.nio.ByteBuffer;

/**
 * Blocks of 32 elements with one float16 scale d, and for the {@code _1} types a float16 minimum m:
 * d * q or d * q + m. Low halves of the bytes are the first 16 elements, high halves the others;
 * fifth bits lie in 32 bits of their own.
 */
final class LegacyBlocks {
  private static final int HALF = 16;

  private LegacyBlocks() {}

  static void q40(ByteBuffer in, int at, float[] out, int to) {
    float d = half(in, at);
    for (int i = 0; i < HALF; i++) {
      int both = in.get(at + 2 + i);
      out[to + i] = d * ((both & 0xF) - 8);
      out[to + HALF + i] = d * ((both >> 4 & 0xF) - 8);
    }
  }

  static void q41(ByteBuffer in, int at, float[] out, int to) {
    float d = half(in, at);
    float m = half(in, at + 2);
    for (int i = 0; i < HALF; i++) {
      int both = in.get(at + 4 + i);
      out[to + i] = d * (both & 0xF) + m;
      out[to + HALF + i] = d * (both >> 4 & 0xF) + m;
    }
  }

  static void q50(ByteBuffer in, int at, float[] out, int to) {
    float d = half(in, at);
    int fifth = in.getInt(at + 2);
    for (int i = 0; i < HALF; i++) {
      int both = in.get(at + 6 + i);
      out[to + i] = d * ((both & 0xF | (fifth >>> i & 1) << 4) - 16);
      out[to + HALF + i] = d * ((both >> 4 & 0xF | (fifth >>> HALF + i & 1) << 4) - 16);
    }
  }

  static void q51(ByteBuffer in, int at, float[] out, int to) {
    float d = half(in, at);
    float m = half(in, at + 2);
    int fifth = in.getInt(at + 4);
    for (int i = 0; i < HALF; i++) {
      int both = in.get(at + 8 + i);
      out[to + i] = d * (both & 0xF | (fifth >>> i & 1) << 4) + m;
      out[to + HALF + i] = d * (both >> 4 & 0xF | (fifth >>> HALF + i & 1) << 4) + m;
    }
  }

  static void q80(ByteBuffer in, int at, float[] out, int to) {
    float d = half(in, at);
    for (int i = 0; i < 2 * HALF; i++) {
      out[to + i] = d * in.get(at + 2 + i);
    }
  }

  private static float half(ByteBuffer in, int at) {
    return HalfPrecision.fromFloat16(in.getShort(at));
  }
}
