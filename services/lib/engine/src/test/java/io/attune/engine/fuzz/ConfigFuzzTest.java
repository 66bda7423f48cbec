package io.attune.engine.fuzz;

class ConfigFuzzTest extends FuzzTarget {
  ConfigFuzzTest() {
    super(new ConfigFormat());
  }
}
