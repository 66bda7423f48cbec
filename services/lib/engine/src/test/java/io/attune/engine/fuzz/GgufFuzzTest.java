package io.attune.engine.fuzz;

class GgufFuzzTest extends FuzzTarget {
  GgufFuzzTest() {
    super(new GgufFormat());
  }
}
