package io.attune.engine;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.adapter.Adapter;
import io.attune.engine.checkpoint.TensorType;
import io.attune.engine.model.Decoder;
import io.attune.engine.model.DecoderNetwork;
import io.attune.engine.model.Weights;
import io.attune.engine.nn.Linear;
import io.attune.engine.nn.PackedProjection;
import io.attune.engine.online.Generation;
import io.attune.engine.tensor.Torch;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Decoders of a policy in training, of its weights as they are at the time. */
final class PolicyDecoders {
  private PolicyDecoders() {}

  /** Of the model's own weights. */
  static Generation.Decoders plain(LanguageModel model) {
    return new Generation.Decoders() {
      @Override
      public <T> T with(Function<Decoder, T> use) {
        Weights weights = model.weights();
        try (Decoder decoder =
            new DecoderNetwork(
                    model.architecture(), weights::wrap, new int[0], weights::get, weights.type())
                .decoder()) {
          return use.apply(decoder);
        }
      }
    };
  }

  /**
   * Of a model with an adapter.
   *
   * @param folds whether the adapter is folded into a copy of the weights that it changes, as long
   *     as the decoder is used: its many small products take two fifths of the time of a token of a
   *     small model. One that cannot be folded in, and one on weights that are not float32, is
   *     computed beside them.
   */
  static Generation.Decoders adapted(LanguageModel model, Adapter adapter, boolean folds) {
    return new Generation.Decoders() {
      @Override
      public <T> T with(Function<Decoder, T> use) {
        try (NDManager scope = Torch.scope("folded");
            Torch.GradMode mode = Torch.gradMode(false)) {
          Map<String, NDArray> folded = folds ? folded(model.weights(), adapter, scope) : null;
          return folded == null ? beside(model, adapter, use) : on(model, folded, use);
        }
      }
    };
  }

  /** Null where an adapter cannot be folded in. */
  private static @Nullable Map<String, NDArray> folded(
      Weights weights, Adapter adapter, NDManager scope) {
    if (weights.type() != TensorType.F32
        || weights.quantized() != null
        || adapter.virtualTokens().length > 0) {
      return null;
    }
    try {
      return adapter.merged(weights::get, scope);
    } catch (EngineException e) {
      if (e.reason() == Reason.UNSUPPORTED) {
        return null;
      }
      throw e;
    }
  }

  private static <T> T on(
      LanguageModel model, Map<String, NDArray> changed, Function<Decoder, T> use) {
    Function<String, NDArray> weights =
        name -> changed.containsKey(name) ? changed.get(name) : model.weights().get(name);
    try (Decoder decoder =
        PackedProjection.PRESENT
            ? Decoder.packed(model.architecture(), weights, layersOf(model, changed))
            : new DecoderNetwork(model.architecture(), weights).decoder()) {
      return use.apply(decoder);
    }
  }

  /** Lets go of a changed layer's weight once it is named, so that there is one copy at a time. */
  private static Consumer<String> layersOf(LanguageModel model, Map<String, NDArray> changed) {
    Set<String> layers =
        model.architecture().linears().stream().map(Linear::weight).collect(Collectors.toSet());
    return name -> {
      NDArray weight = changed.get(name);
      if (weight != null && layers.contains(name)) {
        weight.close();
      }
    };
  }

  private static <T> T beside(LanguageModel model, Adapter adapter, Function<Decoder, T> use) {
    try (AdaptedWeights weights = new AdaptedWeights(model.weights(), adapter);
        Decoder decoder =
            new DecoderNetwork(
                    model.architecture(),
                    seams -> adapter.wrap(model.weights().wrap(seams), false),
                    adapter.virtualTokens(),
                    weights,
                    model.weights().type())
                .decoder()) {
      return use.apply(decoder);
    }
  }
}
