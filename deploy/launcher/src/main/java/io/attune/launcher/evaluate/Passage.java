package io.attune.launcher.evaluate;

import io.attune.engine.data.SftExample;

/**
 * A text whose likelihood is asked for.
 *
 * @param source what an encoder reads; empty for a model without one
 */
@SuppressWarnings("ArrayRecordComponent") // read-only by convention
record Passage(int[] source, SftExample text) {
  private static final int[] NONE = {};

  static Passage of(SftExample text) {
    return new Passage(NONE, text);
  }
}
