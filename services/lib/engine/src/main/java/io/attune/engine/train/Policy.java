package io.attune.engine.train;

import ai.djl.ndarray.NDArray;
import io.attune.engine.adapter.Adapter;
import io.attune.engine.model.DecoderModel;
import io.attune.engine.model.DecoderNetwork;
import io.attune.engine.model.Weights;
import io.attune.engine.tensor.Torch;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The network that is trained, the leaves that change, and what it is compared with.
 *
 * <p>With an adapter the reference is the same base without it (or with the adapter that training
 * started from): no second copy of the weights.
 */
public final class Policy implements AutoCloseable {
  /** The weight of a head that scores texts, [1, E]. */
  public static final String SCORE = "score.weight";

  private final DecoderNetwork network;
  private final DecoderNetwork reference;
  private final Map<String, NDArray> trainable;
  private final @Nullable NDArray score;
  private final boolean checkpointed;

  /** Makes the network without dropout; null where it is the one that is trained. */
  private final @Nullable Supplier<DecoderNetwork> evaluated;

  private Policy(
      DecoderNetwork network,
      DecoderNetwork reference,
      Map<String, NDArray> trainable,
      @Nullable NDArray score,
      boolean checkpointed,
      @Nullable Supplier<DecoderNetwork> evaluated) {
    this.network = network;
    this.reference = reference;
    this.trainable = trainable;
    this.score = score;
    this.checkpointed = checkpointed;
    this.evaluated = evaluated;
    trainable.values().forEach(array -> Torch.requireGradient(array, true));
  }

  /**
   * Trains an adapter over frozen weights. Over quantized ones layers are computed again on the way
   * back, so that no more than one layer's weights are dense at a time.
   *
   * @param start the adapter that training starts from, as the reference policy; null where it
   *     starts from the base model
   */
  public static Policy ofAdapter(
      DecoderModel model, Weights base, Adapter adapter, @Nullable Adapter start) {
    return new Policy(
        network(model, base, adapter, true),
        start == null
            ? new DecoderNetwork(model, base::wrap, new int[0], base::get)
            : network(model, base, start, false),
        adapter.parameters(),
        adapter.weight(SCORE),
        base.quantized() != null,
        () -> network(model, base, adapter, false));
  }

  /** Trains all weights; see {@link #ofWeights(DecoderModel, Weights, Weights, Set)}. */
  public static Policy ofWeights(DecoderModel model, Weights weights, Weights reference) {
    return ofWeights(model, weights, reference, weights.parameters().keySet());
  }

  /**
   * Trains weights of the model itself.
   *
   * @param weights changed in place
   * @param reference unchanged weights to compare with; may be {@code weights} where no objective
   *     asks for them
   * @param trained names of the weights that are trained; the others get no gradient
   */
  public static Policy ofWeights(
      DecoderModel model, Weights weights, Weights reference, Set<String> trained) {
    Map<String, NDArray> leaves = new LinkedHashMap<>(weights.parameters());
    leaves.keySet().retainAll(trained);
    return new Policy(
        new DecoderNetwork(model, weights::get),
        new DecoderNetwork(model, reference::get),
        leaves,
        null,
        false,
        null);
  }

  /** Trains nothing: for reading with a network as it is. */
  public static Policy frozen(DecoderNetwork network) {
    return new Policy(network, network, Map.of(), null, false, null);
  }

  private static DecoderNetwork network(
      DecoderModel model, Weights base, Adapter adapter, boolean training) {
    return new DecoderNetwork(
        model,
        seams -> adapter.wrap(base.wrap(seams), training),
        adapter.virtualTokens(),
        name -> {
          NDArray own = adapter.weight(name);
          return own == null ? base.get(name) : own;
        });
  }

  /**
   * The same weights without dropout, as they are now: to be asked for again once they have
   * changed. Needs no closing.
   */
  public Policy forEvaluation() {
    return evaluated == null
        ? this
        : new Policy(evaluated.get(), reference, trainable, score, checkpointed, evaluated);
  }

  DecoderNetwork network() {
    return network;
  }

  /** Whether layers are to be computed again on the way back. */
  boolean checkpointed() {
    return checkpointed;
  }

  DecoderNetwork reference() {
    return reference;
  }

  /** The leaves that change, by name, in a fixed order. */
  public Map<String, NDArray> trainable() {
    return trainable;
  }

  @Nullable NDArray score() {
    return score;
  }

  /** Whether the weight that makes logits is trained. */
  boolean headTrained() {
    return trainable.containsKey(network.model().headWeight());
  }

  /** Stops collecting gradients; whoever made the weights frees them. */
  @Override
  public void close() {
    trainable.values().forEach(array -> Torch.requireGradient(array, false));
  }
}
