package io.attune.engine.fuzz;

import io.attune.engine.onnx.OnnxFormat;

class OnnxFuzzTest extends FuzzTarget {
  OnnxFuzzTest() {
    super(new OnnxFormat());
  }
}
