package io.attune.engine.gguf;

import java.nio.ByteBuffer;

/** Numbers that stand for themselves: a block is one element. */
final class PlainBlocks {
  private PlainBlocks() {}

  static void f32(ByteBuffer in, int at, float[] out, int to) {
    out[to] = in.getFloat(at);
  }

  static void f16(ByteBuffer in, int at, float[] out, int to) {
    out[to] = HalfPrecision.fromFloat16(in.getShort(at));
  }

  static void bf16(ByteBuffer in, int at, float[] out, int to) {
    out[to] = HalfPrecision.fromBfloat16(in.getShort(at));
  }
}
