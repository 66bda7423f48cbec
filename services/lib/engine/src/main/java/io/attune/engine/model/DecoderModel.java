package io.attune.engine.model;

/** A decoder-only model: one causal stack and a head that turns hidden states into logits. */
public interface DecoderModel extends Architecture, Stack {
  String KIND = "a decoder-only language model";

  @Override
  default String kind() {
    return KIND;
  }

  /** Name of the weight that turns hidden states into logits, [V, E]; the embedding where tied. */
  String headWeight();

  /** Bounds logits to +-softcap by a tanh; 0 for none. */
  default double logitSoftcap() {
    return 0;
  }

  @Override
  default int layers() {
    return config().layers();
  }
}
