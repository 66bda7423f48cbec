package io.attune.engine;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.adapter.Adapter;
import io.attune.engine.checkpoint.AdapterFiles;
import io.attune.engine.checkpoint.HubLayout;
import io.attune.engine.checkpoint.TensorReader;
import io.attune.engine.checkpoint.TensorType;
import io.attune.engine.data.ExampleOptions;
import io.attune.engine.data.Examples;
import io.attune.engine.data.SftExample;
import io.attune.engine.model.Decoder;
import io.attune.engine.model.DecoderModel;
import io.attune.engine.model.DecoderNetwork;
import io.attune.engine.model.TokenBatch;
import io.attune.engine.model.Weights;
import io.attune.engine.nn.LanguageHead;
import io.attune.engine.objective.Reading;
import io.attune.engine.objective.Sft;
import io.attune.engine.tensor.Torch;
import io.attune.engine.train.Policy;
import io.attune.engine.train.Reader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A decoder-only model: what writes text. Immutable after loading; thread-safe. */
public final class LanguageModel extends PretrainedModel {
  static final String SCORE = "score.weight";

  private final DecoderModel decoderModel;
  private final DecoderNetwork network;
  private @Nullable Decoder decoder;

  /** What a head for whole texts is asked for: one score, or labels. */
  private final int scores;

  private LanguageModel(HubLayout layout, DecoderModel architecture, Weights weights, int scores) {
    super(layout, architecture, weights);
    this.decoderModel = architecture;
    this.scores = scores;
    this.network =
        new DecoderNetwork(architecture, weights::wrap, new int[0], weights::get, weights.type());
  }

  /**
   * Loads a folder; refuses another kind of model, and what it cannot compute exactly, naming it.
   */
  public static LanguageModel load(Path folder, LoadOptions options) {
    HubLayout layout = HubLayout.of(folder);
    return load(layout, decoderModel(layout, options), options);
  }

  static LanguageModel load(HubLayout layout, DecoderModel architecture, LoadOptions options) {
    return forTraining(layout, architecture, options, null, 1);
  }

  /**
   * Loads a folder to be trained.
   *
   * @param seed from which weights are drawn at random; null where those of the folder are read
   * @param scores what a head for whole texts, which an adapter brings, gives of each
   */
  static LanguageModel forTraining(
      HubLayout layout,
      DecoderModel architecture,
      LoadOptions options,
      @Nullable Long seed,
      int scores) {
    Weights weights =
        seed == null ? weights(layout, architecture, options) : Weights.random(architecture, seed);
    return new LanguageModel(layout, architecture, weights, scores);
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
    return examples(maxLength, ExampleOptions.DEFAULT);
  }

  Examples examples(int maxLength, ExampleOptions options) {
    return new Examples(tokenizer(), chatTemplate(), eosTokenIds(), maxLength, options);
  }

  @Override
  DecoderModel architecture() {
    return decoderModel;
  }

  @Override
  Map<String, Shape> addedModules() {
    return addedModules(scores);
  }

  private Map<String, Shape> addedModules(int outputs) {
    return Map.of(SCORE, new Shape(outputs, config().hiddenSize()));
  }

  /** The head of an adapter that was read gives as much as its weight says. */
  @Override
  Map<String, Shape> addedModules(AdapterFiles adapter) {
    try (TensorReader file = adapter.openWeights()) {
      String score = AdapterFiles.PREFIX + SCORE;
      return file.has(score)
          ? addedModules(Math.toIntExact(file.info(score).shape()[0]))
          : addedModules();
    }
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
            seams -> adapter.wrap(weights().wrap(seams), false),
            adapter.virtualTokens(),
            weights,
            weights().type()));
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

  /**
   * What the model says about the target tokens of texts, each given all tokens before it; reads
   * them in one batch, and never holds all logits.
   *
   * @param adapter the adapter to use, or null for the base model
   */
  public List<Reading> read(List<SftExample> texts, @Nullable LoadedAdapter adapter) {
    Policy policy = Policy.frozen(adapter == null ? network : adapter.network());
    return new Reader<>(policy, new Sft()).read(texts, false);
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
        if (weights().quantized() != null) {
          throw new EngineException(
              Reason.INVALID_ARGUMENT,
              "an adapter is not merged into quantized weights; load the model without quantization");
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
