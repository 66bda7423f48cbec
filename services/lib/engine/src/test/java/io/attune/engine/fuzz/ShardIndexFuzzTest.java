package io.attune.engine.fuzz;

class ShardIndexFuzzTest extends FuzzTarget {
  ShardIndexFuzzTest() {
    super(new ShardIndexFormat());
  }
}
