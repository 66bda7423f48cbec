package io.attune.engine.model;

import io.attune.engine.nn.Sublayer;
import java.util.ArrayList;
import java.util.List;

/**
 * What the layers of one stack add to the stream of hidden states.
 *
 * @param layers what comes before a layer's index in its path, as {@code model.layers.}
 * @param first index of the first among all of the model's layers
 * @param crosses whether they look at an encoder's memory
 * @param size elements of a hidden state
 */
record Sublayers(String layers, int count, int first, boolean crosses, int size) {
  /** Of a stack that is alone. */
  Sublayers(String layers, int count, int size) {
    this(layers, count, 0, false, size);
  }

  Sublayer selfAttention(int layer) {
    return sublayer(layer, Sublayer.Kind.SELF_ATTENTION);
  }

  Sublayer crossAttention(int layer) {
    return sublayer(layer, Sublayer.Kind.CROSS_ATTENTION);
  }

  Sublayer feedForward(int layer) {
    return sublayer(layer, Sublayer.Kind.FEED_FORWARD);
  }

  private Sublayer sublayer(int layer, Sublayer.Kind kind) {
    return new Sublayer(layers + layer, first + layer, kind, size);
  }

  /** All of them, in the order in which they are computed. */
  List<Sublayer> all() {
    List<Sublayer> all = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      all.add(selfAttention(i));
      if (crosses) {
        all.add(crossAttention(i));
      }
      all.add(feedForward(i));
    }
    return all;
  }
}
