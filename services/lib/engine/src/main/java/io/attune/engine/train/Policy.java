package io.attune.engine.train;

import ai.djl.ndarray.NDArray;
import io.attune.engine.adapter.Adapter;
import io.attune.engine.model.Architecture;
import io.attune.engine.model.DecoderNetwork;
import io.attune.engine.model.Weights;
import io.attune.engine.nn.Seams;
import io.attune.engine.tensor.Torch;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The network that is trained, the leaves that change, and what it is compared with.
 *
 * <p>With an adapter the reference is the same base without it (or with the adapter that training
 * started from): no second copy of the weights.
 */
public final class Policy implements AutoCloseable {
  /** The weight of a decoder's head for whole texts, [labels, E]; [1, E] where it scores them. */
  public static final String SCORE = "score.weight";

  private final Forward network;
  private final Forward reference;
  private final Map<String, NDArray> trainable;
  private final boolean checkpointed;

  /** Makes the network without dropout; null where it is the one that is trained. */
  private final @Nullable Supplier<Forward> evaluated;

  private Policy(
      Forward network,
      Forward reference,
      Map<String, NDArray> trainable,
      boolean checkpointed,
      @Nullable Supplier<Forward> evaluated) {
    this.network = network;
    this.reference = reference;
    this.trainable = trainable;
    this.checkpointed = checkpointed;
    this.evaluated = evaluated;
    trainable.values().forEach(array -> Torch.requireGradient(array, true));
  }

  /**
   * As {@link #ofAdapter(Architecture, Weights, Adapter, Adapter, boolean)}, with the adapter's own
   * dropout alone.
   */
  public static Policy ofAdapter(
      Architecture model, Weights base, Adapter adapter, @Nullable Adapter start) {
    return ofAdapter(model, base, adapter, start, false, true);
  }

  /**
   * Trains an adapter over frozen weights. Over quantized ones layers are computed again on the way
   * back, so that no more than one layer's weights are dense at a time.
   *
   * @param start the adapter that training starts from, as the reference policy; null where it
   *     starts from the base model
   * @param dropout whether dropout applies in training, the model's own and the adapter's; that of
   *     the reference never does
   */
  public static Policy ofAdapter(
      Architecture model, Weights base, Adapter adapter, @Nullable Adapter start, boolean dropout) {
    return ofAdapter(model, base, adapter, start, dropout, dropout);
  }

  private static Policy ofAdapter(
      Architecture model,
      Weights base,
      Adapter adapter,
      @Nullable Adapter start,
      boolean dropout,
      boolean adapterDropout) {
    return new Policy(
        network(model, base, adapter, seams -> adapter.wrap(seams, true, adapterDropout), dropout),
        start == null ? network(model, base, false) : still(model, base, start),
        adapter.parameters(),
        base.quantized() != null,
        () -> still(model, base, adapter));
  }

  /** Trains all weights; see {@link #ofWeights(Architecture, Weights, Weights, Set)}. */
  public static Policy ofWeights(Architecture model, Weights weights, Weights reference) {
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
      Architecture model, Weights weights, Weights reference, Set<String> trained) {
    return ofWeights(model, weights, reference, trained, false);
  }

  /**
   * As {@link #ofWeights(Architecture, Weights, Weights, Set)}.
   *
   * @param dropout whether the model's own dropout applies in training
   */
  public static Policy ofWeights(
      Architecture model,
      Weights weights,
      Weights reference,
      Set<String> trained,
      boolean dropout) {
    Map<String, NDArray> leaves = new LinkedHashMap<>(weights.parameters());
    leaves.keySet().retainAll(trained);
    return new Policy(
        network(model, weights, dropout),
        network(model, reference, false),
        leaves,
        false,
        dropout ? () -> network(model, weights, false) : null);
  }

  /**
   * The same policy, for which layers keep their inputs alone and are computed again on the way
   * back; closed once, as one of the two.
   *
   * @param wanted false leaves it as it is
   */
  public Policy withCheckpointing(boolean wanted) {
    return wanted && !checkpointed
        ? new Policy(network, reference, trainable, true, evaluated)
        : this;
  }

  /** Trains nothing: for reading with a network as it is. */
  public static Policy frozen(DecoderNetwork network) {
    Forward forward = new DecoderForward(network, null);
    return new Policy(forward, forward, Map.of(), false, null);
  }

  private static Forward network(Architecture model, Weights weights, boolean dropout) {
    return Forward.of(model, weights::wrap, new int[0], weights::get, weights.type(), dropout);
  }

  /** With an adapter as it is now, without dropout. */
  private static Forward still(Architecture model, Weights base, Adapter adapter) {
    return network(model, base, adapter, seams -> adapter.wrap(seams, false), false);
  }

  private static Forward network(
      Architecture model,
      Weights base,
      Adapter adapter,
      UnaryOperator<Seams> wrap,
      boolean dropout) {
    return Forward.of(
        model,
        seams -> wrap.apply(base.wrap(seams)),
        adapter.virtualTokens(),
        name -> {
          NDArray own = adapter.weight(name);
          return own == null ? base.get(name) : own;
        },
        base.type(),
        dropout);
  }

  /**
   * The same weights without dropout, as they are now: to be asked for again once they have
   * changed. Needs no closing.
   */
  public Policy forEvaluation() {
    return evaluated == null
        ? this
        : new Policy(evaluated.get(), reference, trainable, checkpointed, evaluated);
  }

  Forward network() {
    return network;
  }

  /** Whether layers are to be computed again on the way back. */
  boolean checkpointed() {
    return checkpointed;
  }

  Forward reference() {
    return reference;
  }

  /** The leaves that change, by name, in a fixed order. */
  public Map<String, NDArray> trainable() {
    return trainable;
  }

  /** Whether the weight that makes logits is trained. */
  boolean headTrained() {
    return network.headWeight() != null && trainable.containsKey(network.headWeight());
  }

  /** Stops collecting gradients; whoever made the weights frees them. */
  @Override
  public void close() {
    trainable.values().forEach(array -> Torch.requireGradient(array, false));
  }
}
