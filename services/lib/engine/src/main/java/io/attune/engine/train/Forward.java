package io.attune.engine.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.attune.engine.checkpoint.TensorType;
import io.attune.engine.model.Architecture;
import io.attune.engine.model.DecoderModel;
import io.attune.engine.model.EncoderDecoderModel;
import io.attune.engine.model.EncoderDecoderNetwork;
import io.attune.engine.model.EncoderModel;
import io.attune.engine.model.EncoderNetwork;
import io.attune.engine.model.Pass;
import io.attune.engine.nn.Head;
import io.attune.engine.nn.Seams;
import io.attune.engine.objective.Objective.Readout;
import io.attune.engine.objective.Sequence;
import java.util.List;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * How a kind of model reads sequences: how it lays them out, what its forward pass is, at which
 * hidden states it is asked, and by which heads. All that training knows of a kind of model.
 */
interface Forward {

  /**
   * What a pass over sequences gives.
   *
   * @param pass with the hidden states of all tokens that are laid out, [N, E]
   * @param places of the M wanted ones among them, sequence by sequence
   * @param counts how many of them belong to each sequence
   * @param labels tokens that they predict; empty where logits are wanted
   */
  @SuppressWarnings("ArrayRecordComponent") // handed over, never kept
  record Result(Pass pass, long[] places, int[] counts, long[] labels) {}

  Architecture model();

  /**
   * Reads sequences; recorded where the thread's grad mode is on.
   *
   * @param checkpointed whether layers keep their inputs alone, to be computed again on the way
   *     back; with grad mode on
   * @throws IllegalArgumentException if this kind of model cannot be asked for that
   */
  Result read(NDManager scope, List<Sequence> sequences, Readout readout, boolean checkpointed);

  /** Name of the weight of {@link #head}; null for a kind that predicts no tokens. */
  @Nullable String headWeight();

  /** What turns hidden states into logits of tokens. */
  Head head();

  /**
   * The logits of wanted hidden states [M, E] for {@link Readout#LOGITS}, [M, labels]; recorded
   * where the thread's grad mode is on.
   */
  NDArray logits(NDManager scope, NDArray wanted);

  /** Whether there is a head for {@link #logits}. */
  boolean classifies();

  /**
   * The forward pass of a model, whatever its kind.
   *
   * @param adapter what changes how parts are computed
   * @param virtualTokens ids that come before every text
   * @param weights from names, as the model and the adapter use them, to arrays; null for those
   *     that are not there
   * @param type of the model's own weights; those of an adapter are float32
   * @param dropout whether the model's own dropout applies. Decoder-only models have none
   */
  static Forward of(
      Architecture model,
      UnaryOperator<Seams> adapter,
      int[] virtualTokens,
      Function<String, NDArray> weights,
      TensorType type,
      boolean dropout) {
    if (model instanceof DecoderModel decoder) {
      return new DecoderForward(decoder, adapter, virtualTokens, weights, type);
    }
    if (virtualTokens.length > 0) {
      throw new IllegalArgumentException(
          "virtual tokens are not implemented for " + model.kind() + "; use another method");
    }
    if (model instanceof EncoderModel encoder) {
      return new EncoderForward(new EncoderNetwork(encoder, adapter, weights, dropout));
    }
    if (model instanceof EncoderDecoderModel both) {
      return new EncoderDecoderForward(new EncoderDecoderNetwork(both, adapter, weights, dropout));
    }
    throw new IllegalStateException(model.kind() + " has no forward pass");
  }

  /** What a kind of model answers to a question that it cannot be asked. */
  static IllegalArgumentException unfit(Architecture model, String what) {
    return new IllegalArgumentException(
        model.kind() + " ('model_type' " + model.config().modelType() + ") cannot " + what);
  }
}
