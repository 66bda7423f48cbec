package io.attune.engine.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.attune.engine.checkpoint.TensorType;
import io.attune.engine.nn.Bfloat16Projection;
import io.attune.engine.nn.DenseProjection;
import io.attune.engine.nn.Head;
import io.attune.engine.nn.PaddedAttention;
import io.attune.engine.nn.Projection;
import io.attune.engine.nn.Seams;
import io.attune.engine.tensor.Processor;
import java.util.List;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/**
 * A decoder-only model joined with weights, perhaps with an adapter between. Immutable and
 * thread-safe.
 */
public final class DecoderNetwork {
  private final DecoderModel model;
  private final UnaryOperator<Seams> adapter;
  private final int[] virtualTokens;
  private final Function<String, NDArray> weights;
  private final TensorType type;
  private final Network network;

  /** The model alone. */
  public DecoderNetwork(DecoderModel model, Function<String, NDArray> weights) {
    this(model, UnaryOperator.identity(), new int[0], weights);
  }

  /**
   * @param adapter what changes how parts are computed
   * @param virtualTokens ids that come before every text
   * @param weights from names, as the model and the adapter use them, to arrays, float32
   */
  public DecoderNetwork(
      DecoderModel model,
      UnaryOperator<Seams> adapter,
      int[] virtualTokens,
      Function<String, NDArray> weights) {
    this(model, adapter, virtualTokens, weights, TensorType.F32);
  }

  /**
   * @param type of the weights: F32 or BF16
   */
  public DecoderNetwork(
      DecoderModel model,
      UnaryOperator<Seams> adapter,
      int[] virtualTokens,
      Function<String, NDArray> weights,
      TensorType type) {
    this(model, adapter, virtualTokens, weights, type, new DenseProjection());
  }

  /**
   * For training, and for reading what is trained as training sees it.
   *
   * @param weights the model's own of {@code type}, the adapter's float32
   */
  public static DecoderNetwork forTraining(
      DecoderModel model,
      UnaryOperator<Seams> adapter,
      int[] virtualTokens,
      Function<String, NDArray> weights,
      TensorType type) {
    boolean widened = !Processor.multipliesBfloat16();
    return forTraining(model, adapter, virtualTokens, weights, type, widened);
  }

  /**
   * As {@link #forTraining(DecoderModel, UnaryOperator, int[], Function, TensorType)}.
   *
   * @param widened whether bfloat16 weights are widened for their products
   */
  public static DecoderNetwork forTraining(
      DecoderModel model,
      UnaryOperator<Seams> adapter,
      int[] virtualTokens,
      Function<String, NDArray> weights,
      TensorType type,
      boolean widened) {
    Projection projection =
        type == TensorType.BF16 ? new Bfloat16Projection(widened) : new DenseProjection();
    return new DecoderNetwork(model, adapter, virtualTokens, weights, type, projection);
  }

  private DecoderNetwork(
      DecoderModel model,
      UnaryOperator<Seams> adapter,
      int[] virtualTokens,
      Function<String, NDArray> weights,
      TensorType type,
      Projection projection) {
    this.model = model;
    this.adapter = adapter;
    this.virtualTokens = virtualTokens.clone();
    this.weights = weights;
    this.type = type;
    Seams seams = adapter.apply(new Seams(projection, new PaddedAttention()));
    this.network = new Network(model, seams, weights);
  }

  public DecoderModel model() {
    return model;
  }

  /** Lays sequences end to end, virtual tokens before each. */
  public TokenBatch batch(NDManager scope, List<int[]> sequences) {
    return TokenBatch.of(scope, sequences, virtualTokens);
  }

  /**
   * As {@link #batch}; what neighbouring sequences begin with alike is computed once, see {@link
   * TokenBatch#token}.
   */
  public TokenBatch sharingBatch(NDManager scope, List<int[]> sequences) {
    return TokenBatch.sharing(scope, sequences, virtualTokens);
  }

  /** Hidden states after the last norm, [N, E]; recorded where the thread's grad mode is on. */
  public NDArray hidden(NDManager scope, TokenBatch batch) {
    return network.hidden(scope, batch);
  }

  /**
   * Hidden states after the last norm, recorded; with grad mode on.
   *
   * @param checkpointed whether layers keep their inputs alone and are computed again on the way
   *     back
   */
  public Pass record(NDManager scope, TokenBatch batch, boolean checkpointed) {
    return checkpointed
        ? network.checkpointed(scope, batch)
        : Pass.of(network.hidden(scope, batch));
  }

  /** What turns hidden states into logits. */
  public Head head() {
    return new Head(weights.apply(model.headWeight()), null, model.logitSoftcap());
  }

  /** Makes the program that generates with these weights, a token at a time. */
  public Decoder decoder() {
    return new Decoder(model, adapter, weights, type);
  }
}
