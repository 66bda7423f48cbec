package io.attune.engine.nn;

/**
 * A part of a layer whose result is added to the stream of hidden states.
 *
 * @param layer module path of its layer as in the checkpoint, as {@code model.layers.0}
 * @param index of its layer among all of the model's, those of an encoder before those of a decoder
 * @param size elements of a hidden state
 */
public record Sublayer(String layer, int index, Kind kind, int size) {
  /** What it computes. */
  public enum Kind {
    SELF_ATTENTION,
    CROSS_ATTENTION,
    FEED_FORWARD
  }
}
