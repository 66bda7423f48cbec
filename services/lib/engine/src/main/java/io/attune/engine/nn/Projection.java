package io.attune.engine.nn;

import java.util.List;

/**
 * The seam: how the linear layers and the token embedding of a model are computed.
 *
 * <p>A model hands over layers that read the same input together, so that an implementation may
 * compute what they share once. Dense, low-rank, quantized and their combinations are one
 * implementation each; models know none of them.
 */
public interface Projection {
  /**
   * Emits code that applies {@code layers} to one input.
   *
   * @param input variable that holds [N, inputs]
   * @return a variable per layer, each holding [N, outputs], free to be changed in place
   */
  List<String> emit(MethodWriter out, String input, List<Linear> layers);

  /**
   * The expression for a layer's weight as the checkpoint has it, made dense where it is held in
   * another way.
   */
  default String weight(MethodWriter out, Linear layer) {
    return out.weight(layer.weight());
  }

  /**
   * Emits the lookup of tokens in the model's token embedding.
   *
   * @param ids variable that holds [N]; ids from the vocabulary's size up are an adapter's virtual
   *     tokens
   * @return a variable that holds [N, size]
   */
  String embedding(MethodWriter out, String ids, Embedding table);
}
