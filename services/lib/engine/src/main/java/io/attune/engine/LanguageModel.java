package io.attune.engine;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.adapter.Adapter;
import io.attune.engine.adapter.Adapters;
import io.attune.engine.adapter.Start;
import io.attune.engine.checkpoint.HubLayout;
import io.attune.engine.checkpoint.TensorType;
import io.attune.engine.data.Examples;
import io.attune.engine.model.Decoder;
import io.attune.engine.model.DecoderModel;
import io.attune.engine.model.DecoderNetwork;
import io.attune.engine.model.TokenBatch;
import io.attune.engine.model.Weights;
import io.attune.engine.nn.LanguageHead;
import io.attune.engine.tensor.Torch;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** A decoder-only model: what writes text. Immutable after loading; thread-safe. */
public final class LanguageModel extends PretrainedModel {
  static final String SCORE = "score.weight";

  private final DecoderModel decoderModel;
  private final DecoderNetwork network;
  private @Nullable Decoder decoder;

  private LanguageModel(HubLayout layout, DecoderModel architecture, Weights weights) {
    super(layout, architecture, weights);
    this.decoderModel = architecture;
    this.network =
        new DecoderNetwork(
            architecture, UnaryOperator.identity(), new int[0], weights::get, weights.type());
  }

  /**
   * Loads a folder; refuses another kind of model, and what it cannot compute exactly, naming it.
   */
  public static LanguageModel load(Path folder, LoadOptions options) {
    HubLayout layout = HubLayout.of(folder);
    return load(layout, decoderModel(layout, options), options);
  }

  static LanguageModel load(HubLayout layout, DecoderModel architecture, LoadOptions options) {
    return new LanguageModel(layout, architecture, weights(layout, architecture, options));
  }

  /** As {@link #load}, with weights drawn at random: where training starts from nothing. */
  static LanguageModel random(Path folder, LoadOptions options, long seed) {
    HubLayout layout = HubLayout.of(folder);
    DecoderModel architecture = decoderModel(layout, options);
    return new LanguageModel(layout, architecture, Weights.random(architecture, seed));
  }

  private static DecoderModel decoderModel(HubLayout layout, LoadOptions options) {
    return architecture(layout, options, DecoderModel.class, DecoderModel.KIND);
  }

  /**
   * Turns rows into what this model reads.
   *
   * @param maxLength tokens of an example, prompt included
   */
  public Examples examples(int maxLength) {
    return new Examples(tokenizer(), chatTemplate(), eosTokenIds(), maxLength);
  }

  @Override
  DecoderModel architecture() {
    return decoderModel;
  }

  @Override
  Map<String, Shape> addedModules() {
    return Map.of(SCORE, new Shape(1, config().hiddenSize()));
  }

  /**
   * Reads an adapter of this model; refuses one of another shape, or one made for another tokenizer
   * or chat template, naming what differs.
   */
  public LoadedAdapter loadAdapter(Path peftFolder) {
    Adapter adapter = readAdapter(peftFolder);
    AdaptedWeights weights = Torch.apart(() -> new AdaptedWeights(weights(), adapter));
    return new LoadedAdapter(
        adapter,
        weights,
        new DecoderNetwork(
            decoderModel,
            seams -> adapter.wrap(seams, false),
            adapter.virtualTokens(),
            weights,
            weights().type()));
  }

  /**
   * Makes a new adapter of this model.
   *
   * @param config {@code adapter_config.json}
   */
  Adapter createAdapter(ObjectNode config, long seed) {
    try (NDManager fresh = Torch.scope("fresh")) {
      // Before anything is learnt all answers are worth the same. Drawn at random, the score of a
      // wide model would begin far from any that people give.
      Map<String, NDArray> modules =
          Map.of(SCORE, fresh.zeros(new Shape(1, config().hiddenSize())));
      Start start = new Start(seed, modules, text -> tokenizer().encode(text, true));
      return Adapters.create(config, baseModel(), start);
    }
  }

  /** For generation inside the engine; made at its first use. */
  public synchronized Decoder decoder() {
    if (decoder == null) {
      decoder = network.decoder();
    }
    return decoder;
  }

  /**
   * Logits of whole sequences; virtual tokens have none.
   *
   * @param sequences token ids, without padding
   * @param adapter the adapter to use, or null for the base model
   * @param merged whether the adapter is first folded into a copy of the weights that it changes
   * @return for each sequence its logits, [tokens][V] in one row-major array
   */
  public List<float[]> logits(
      List<int[]> sequences, @Nullable LoadedAdapter adapter, boolean merged) {
    return logits(sequences, 0, adapter, merged);
  }

  /**
   * As {@link #logits(List, LoadedAdapter, boolean)}, with those of the adapter's prompt before
   * each sequence's own, as PEFT gives them.
   */
  public List<float[]> promptedLogits(
      List<int[]> sequences, LoadedAdapter adapter, boolean merged) {
    return logits(sequences, adapter.promptLength(), adapter, merged);
  }

  private List<float[]> logits(
      List<int[]> sequences, int before, @Nullable LoadedAdapter adapter, boolean merged) {
    try (NDManager scope = Torch.scope("logits");
        Torch.GradMode mode = Torch.gradMode(false)) {
      DecoderNetwork used = adapter == null ? network : adapter.network();
      if (merged && adapter != null) {
        if (weights().type() != TensorType.F32) {
          throw new EngineException(
              Reason.INVALID_ARGUMENT, "an adapter is merged in float32; load the model in that");
        }
        Map<String, NDArray> changed = adapter.adapter().merged(weights()::get, scope);
        used =
            new DecoderNetwork(
                decoderModel,
                name -> changed.containsKey(name) ? changed.get(name) : weights().get(name));
      }
      TokenBatch batch = used.batch(scope, sequences);
      NDArray hidden = used.hidden(scope, batch);
      List<float[]> result = new ArrayList<>();
      for (int i = 0; i < sequences.size(); i++) {
        int start = batch.starts()[i] - before;
        int end = batch.starts()[i] + sequences.get(i).length;
        try (NDArray rows = LanguageHead.logits(scope, hidden, used.head(), start, end)) {
          result.add(rows.toFloatArray());
        }
      }
      return result;
    }
  }

  @Override
  public synchronized void close() {
    if (decoder != null) {
      decoder.close();
    }
    super.close();
  }
}
