package io.attune.engine.model;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A model of two stacks: an encoder reads a text, a decoder writes another one while looking at
 * what the encoder made of it.
 */
public interface EncoderDecoderModel extends Architecture {
  String KIND = "an encoder-decoder model";

  @Override
  default String kind() {
    return KIND;
  }

  Stack encoder();

  CrossStack decoder();

  /** Name of the weight that turns the decoder's hidden states into logits, [V, E]. */
  String headWeight();

  /** Name of what is added to the logits, [1, V]; null where nothing is. */
  @Nullable String headBias();

  /** The probability with which weights of attention are dropped while the model is trained. */
  double attentionDropout();

  /** The token that the decoder reads first. */
  int decoderStartTokenId();

  /** What {@code forced_eos_token_id} is where no file says it. */
  default List<Integer> forcedEosTokenIds() {
    return List.of();
  }
}
