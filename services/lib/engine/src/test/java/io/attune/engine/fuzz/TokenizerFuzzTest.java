package io.attune.engine.fuzz;

class TokenizerFuzzTest extends FuzzTarget {
  TokenizerFuzzTest() {
    super(new TokenizerFormat());
  }
}
