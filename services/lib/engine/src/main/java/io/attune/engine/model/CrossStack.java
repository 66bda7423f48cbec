package io.attune.engine.model;

import io.attune.engine.nn.MethodWriter;
import io.attune.engine.nn.Seams;
import java.util.List;

/** A decoder's stack whose layers also look at what an encoder read: its memory. */
public interface CrossStack extends Stack {
  /**
   * Emits what a layer's cross-attention makes of the memory.
   *
   * @param memory variable holding [M, E]
   * @return the variables of key and value, [M, K, D] each
   */
  List<String> memory(MethodWriter out, int layer, String memory, Seams seams);
}
