package io.attune.engine.sentence;

import io.attune.engine.nn.MethodWriter;

/** What follows pooling: from a variable that holds [B, inputs] to one that holds [B, outputs]. */
@FunctionalInterface
interface Step {
  String emit(MethodWriter out, String x);
}
