package io.attune.engine.fuzz;

class TokenizerConfigFuzzTest extends FuzzTarget {
  TokenizerConfigFuzzTest() {
    super(new TokenizerConfigFormat());
  }
}
