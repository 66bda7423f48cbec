package io.attune.engine.nn;

import org.jspecify.annotations.Nullable;

/**
 * Where a model's code is open: what decides how its parts are computed.
 *
 * @param projection linear layers and embeddings
 * @param attention tokens among themselves
 * @param cross tokens and an encoder's memory; null for a stack that has none
 */
public record Seams(Projection projection, Attention attention, @Nullable CrossAttention cross) {
  public Seams(Projection projection, Attention attention) {
    this(projection, attention, null);
  }

  /** What a stack's methods take for attention. */
  public String parameters() {
    return cross == null
        ? attention.parameters()
        : attention.parameters() + ", " + cross.parameters();
  }

  /** What passes it on to the method of layer {@code layer}. */
  public String arguments(int layer) {
    String all =
        cross == null ? attention.arguments() : attention.arguments() + ", " + cross.arguments();
    return all.replace("LAYER", Integer.toString(layer));
  }
}
