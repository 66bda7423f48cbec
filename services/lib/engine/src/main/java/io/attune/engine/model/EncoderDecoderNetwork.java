package io.attune.engine.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.attune.engine.nn.DenseProjection;
import io.attune.engine.nn.Head;
import io.attune.engine.nn.PaddedAttention;
import io.attune.engine.nn.PaddedCrossAttention;
import io.attune.engine.nn.Seams;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/**
 * An encoder-decoder model joined with weights, perhaps with an adapter between. Immutable and
 * thread-safe.
 */
public final class EncoderDecoderNetwork {
  private final EncoderDecoderModel model;
  private final UnaryOperator<Seams> adapter;
  private final Function<String, NDArray> weights;
  private final Network encoder;
  private final Network decoder;

  /** The model alone. */
  public EncoderDecoderNetwork(EncoderDecoderModel model, Function<String, NDArray> weights) {
    this(model, UnaryOperator.identity(), weights);
  }

  /**
   * @param adapter what changes how parts are computed
   * @param weights from names, as the model and the adapter use them, to arrays
   */
  public EncoderDecoderNetwork(
      EncoderDecoderModel model, UnaryOperator<Seams> adapter, Function<String, NDArray> weights) {
    this(model, adapter, weights, false);
  }

  /**
   * @param dropout whether the model's own dropout applies
   */
  public EncoderDecoderNetwork(
      EncoderDecoderModel model,
      UnaryOperator<Seams> adapter,
      Function<String, NDArray> weights,
      boolean dropout) {
    this.model = model;
    this.adapter = adapter;
    this.weights = weights;
    double dropped = dropout ? model.attentionDropout() : 0;
    PaddedAttention attention = new PaddedAttention(dropped);
    Seams own = new Seams(new DenseProjection(), attention, null, dropout);
    this.encoder = new Network(model.encoder(), adapter.apply(own), weights);
    PaddedCrossAttention cross = new PaddedCrossAttention(dropped);
    Seams both = new Seams(own.projection(), attention, cross, dropout);
    this.decoder = new Network(model.decoder(), adapter.apply(both), weights);
  }

  public EncoderDecoderModel model() {
    return model;
  }

  /** What the encoder makes of texts, [M, E]; recorded where the thread's grad mode is on. */
  public NDArray memory(NDManager scope, TokenBatch sources) {
    return encoder.hidden(scope, sources);
  }

  /**
   * The decoder's hidden states, [N, E]; recorded where the thread's grad mode is on.
   *
   * @param targets what the decoder reads, a row for each row of {@code sources}
   * @param memory of {@code sources}
   */
  public NDArray hidden(NDManager scope, TokenBatch targets, NDArray memory, TokenBatch sources) {
    return decoder.hidden(scope, targets, memory, sources);
  }

  /** What turns hidden states into logits. */
  public Head head() {
    String bias = model.headBias();
    return new Head(
        weights.apply(model.headWeight()), bias == null ? null : weights.apply(bias), 0);
  }

  /** Makes the program that generates with these weights, a token at a time. */
  public MemoryDecoder decoder() {
    return new MemoryDecoder(model, adapter, encoder, weights);
  }
}
