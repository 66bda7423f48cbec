package io.attune.engine.fuzz;

class AdapterFuzzTest extends FuzzTarget {
  AdapterFuzzTest() {
    super(new AdapterFormat());
  }
}
