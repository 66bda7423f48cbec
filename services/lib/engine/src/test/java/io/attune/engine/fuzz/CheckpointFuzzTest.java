package io.attune.engine.fuzz;

import io.attune.engine.train.CheckpointFormat;

class CheckpointFuzzTest extends FuzzTarget {
  CheckpointFuzzTest() {
    super(new CheckpointFormat());
  }
}
