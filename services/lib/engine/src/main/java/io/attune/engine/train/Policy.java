package io.attune.engine.train;

import ai.djl.ndarray.NDArray;
import io.attune.engine.adapter.Adapter;
import io.attune.engine.model.Architecture;
import io.attune.engine.model.Network;
import io.attune.engine.model.Weights;
import io.attune.engine.nn.DenseProjection;
import io.attune.engine.tensor.Torch;
import java.util.LinkedHashMap;
import java.util.Map;
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

  private final Network network;
  private final Network reference;
  private final Map<String, NDArray> trainable;
  private final @Nullable NDArray score;

  private Policy(
      Network network, Network reference, Map<String, NDArray> trainable, @Nullable NDArray score) {
    this.network = network;
    this.reference = reference;
    this.trainable = trainable;
    this.score = score;
    trainable.values().forEach(array -> Torch.requireGradient(array, true));
  }

  /**
   * Trains an adapter over frozen weights.
   *
   * @param start the adapter that training starts from, as the reference policy; null where it
   *     starts from the base model
   */
  public static Policy ofAdapter(
      Architecture architecture, Weights base, Adapter adapter, @Nullable Adapter start) {
    return new Policy(
        network(architecture, base, adapter, true),
        start == null
            ? new Network(architecture, new DenseProjection(), base::get)
            : network(architecture, base, start, false),
        adapter.parameters(),
        adapter.weight(SCORE));
  }

  /**
   * Trains all weights.
   *
   * @param weights changed in place
   * @param reference unchanged weights to compare with; may be {@code weights} where no objective
   *     asks for them
   */
  public static Policy ofWeights(Architecture architecture, Weights weights, Weights reference) {
    return new Policy(
        new Network(architecture, new DenseProjection(), weights::get),
        new Network(architecture, new DenseProjection(), reference::get),
        new LinkedHashMap<>(weights.parameters()),
        null);
  }

  private static Network network(
      Architecture architecture, Weights base, Adapter adapter, boolean training) {
    return new Network(
        architecture,
        adapter.projection(new DenseProjection(), training),
        name -> {
          NDArray own = adapter.weight(name);
          return own == null ? base.get(name) : own;
        });
  }

  Network network() {
    return network;
  }

  Network reference() {
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
    return trainable.containsKey(network.architecture().headWeight());
  }

  /** Stops collecting gradients; whoever made the weights frees them. */
  @Override
  public void close() {
    trainable.values().forEach(array -> Torch.requireGradient(array, false));
  }
}
