package io.attune.engine.fuzz;

class SafeTensorsFuzzTest extends FuzzTarget {
  SafeTensorsFuzzTest() {
    super(new SafeTensorsFormat());
  }
}
