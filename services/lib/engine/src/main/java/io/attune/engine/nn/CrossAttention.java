package io.attune.engine.nn;

import java.util.List;
import java.util.function.Function;

/**
 * How a decoder's queries meet what the encoder read (its memory), which every token sees whole.
 *
 * <p>In training the keys and values are computed from the memory in place; in generation once a
 * text, and kept.
 */
public interface CrossAttention {

  /** The parameters that a stack's methods take for it; none of them is {@code h} or {@code w}. */
  String parameters();

  /**
   * The arguments that pass those parameters on to a method; {@code LAYER} is its layer's index.
   */
  String arguments();

  /**
   * Emits cross-attention for one layer.
   *
   * @param query variable holding [N, H, D]
   * @param keyValue emits the projections of a variable that holds memory [M, E], and returns the
   *     variables of key and value, [M, K, D] each; not called where they are kept
   * @return a variable holding [N, H * D]
   */
  String emit(
      MethodWriter out,
      Attention.Heads heads,
      String query,
      Function<String, List<String>> keyValue);
}
