package io.attune.engine.gguf;

import java.nio.ByteBuffer;

/**
 * Turns one block of a quantised row into numbers, with the roundings of the reference
 * implementation (gguf-py's {@code quants.py}), so that results are equal bit for bit.
 */
@FunctionalInterface
interface BlockDecoder {
  /**
   * @param in little-endian
   * @param at the block's first byte
   * @param out gets the block's elements
   * @param to where the first one goes
   */
  void decode(ByteBuffer in, int at, float[] out, int to);
}
