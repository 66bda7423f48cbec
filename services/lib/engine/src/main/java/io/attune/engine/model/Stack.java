package io.attune.engine.model;

import io.attune.engine.nn.Attention;
import io.attune.engine.nn.Embedding;
import io.attune.engine.nn.MethodWriter;
import io.attune.engine.nn.Seams;
import java.util.List;

/** The code of a pile of layers: all of a decoder or an encoder, or one side of a pair. */
public interface Stack {
  int layers();

  /** The table that token ids are looked up in. */
  Embedding embedding();

  /** How a layer keeps its keys and values; alike in all layers. */
  Attention.Heads heads();

  /** Tokens of the longest text that there are positions for. */
  default int longest() {
    return Integer.MAX_VALUE;
  }

  /**
   * Variables that {@link #embed} leaves beside {@code h} and every layer reads, such as the angles
   * of rotary positions.
   */
  List<String> state();

  /**
   * Variables [N] beside {@code ids} and {@code positions} that {@link #embed} reads, such as the
   * segments of BERT.
   */
  default List<String> inputs() {
    return List.of();
  }

  /**
   * Emits the start: from {@code ids} [N] and {@code positions} [N] to {@code h} [N, E] and the
   * variables of {@link #state}.
   */
  void embed(MethodWriter out, Seams seams);

  /** Emits one layer: from {@code h} and the state to a new {@code h}. */
  void layer(MethodWriter out, int index, Seams seams);

  /** Emits what follows the last layer: from {@code h} to the model's hidden states. */
  void finish(MethodWriter out, Seams seams);
}
