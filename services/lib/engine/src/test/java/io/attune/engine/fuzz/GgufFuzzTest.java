package io.attune.engine.fuzz;

import io.attune.engine.gguf.GgufFormat;

class GgufFuzzTest extends FuzzTarget {
  GgufFuzzTest() {
    super(new GgufFormat());
  }
}
