package io.attune.engine;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.adapter.Adapter;
import io.attune.engine.checkpoint.HubLayout;
import io.attune.engine.generate.BeamSearchParameters;
import io.attune.engine.generate.GenerationDefaults;
import io.attune.engine.generate.ScoredText;
import io.attune.engine.generate.TokenConstraints;
import io.attune.engine.model.EncoderDecoderModel;
import io.attune.engine.model.EncoderDecoderNetwork;
import io.attune.engine.model.MemoryDecoder;
import io.attune.engine.model.TokenBatch;
import io.attune.engine.model.Weights;
import io.attune.engine.nn.LanguageHead;
import io.attune.engine.objective.Reading;
import io.attune.engine.tensor.Torch;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * An encoder-decoder model: what turns one text into another. Immutable after loading; thread-safe.
 */
public final class SequenceToSequence extends PretrainedModel {
  /** A label that is not learnt. */
  private static final int IGNORED = -100;

  private final EncoderDecoderModel model;
  private final EncoderDecoderNetwork network;
  private final GenerationDefaults defaults;
  private @Nullable MemoryDecoder decoder;

  private SequenceToSequence(HubLayout layout, EncoderDecoderModel architecture, Weights weights) {
    super(layout, architecture, weights);
    this.model = architecture;
    this.network = new EncoderDecoderNetwork(architecture, weights::get);
    this.defaults = GenerationDefaults.of(layout, architecture.forcedEosTokenIds());
  }

  /**
   * Loads a folder; refuses another kind of model, and what it cannot compute exactly, naming it.
   */
  public static SequenceToSequence load(Path folder, LoadOptions options) {
    HubLayout layout = HubLayout.of(folder);
    return load(
        layout,
        architecture(layout, options, EncoderDecoderModel.class, EncoderDecoderModel.KIND),
        options);
  }

  static SequenceToSequence load(
      HubLayout layout, EncoderDecoderModel architecture, LoadOptions options) {
    return new SequenceToSequence(layout, architecture, weights(layout, architecture, options));
  }

  /**
   * Loads a folder to be trained.
   *
   * @param seed from which weights are drawn at random; null where those of the folder are read
   */
  static SequenceToSequence forTraining(
      HubLayout layout,
      EncoderDecoderModel architecture,
      LoadOptions options,
      @Nullable Long seed) {
    return seed == null
        ? load(layout, architecture, options)
        : new SequenceToSequence(layout, architecture, Weights.random(architecture, seed));
  }

  @Override
  EncoderDecoderModel architecture() {
    return model;
  }

  /**
   * Reads an adapter of this model; refuses one of another shape, or one made for another tokenizer
   * or chat template, naming what differs.
   */
  public LoadedSequenceAdapter loadAdapter(Path peftFolder) {
    Adapter adapter = readAdapter(peftFolder);
    if (adapter.virtualTokens().length > 0) {
      adapter.close();
      throw new EngineException(
          Reason.UNSUPPORTED,
          peftFolder + " has virtual tokens, which are not implemented for encoder-decoder models");
    }
    return new LoadedSequenceAdapter(
        adapter,
        new EncoderDecoderNetwork(
            model, seams -> adapter.wrap(seams, false), name -> weight(adapter, name)));
  }

  /** For generation inside the engine; made at its first use. */
  public synchronized MemoryDecoder decoder() {
    if (decoder == null) {
      decoder = network.decoder();
    }
    return decoder;
  }

  /**
   * What the decoder reads to predict given labels: each one's predecessor, the decoder's start
   * token first; padding where a label is ignored (-100).
   */
  public int[] decoderInputs(int[] labels) {
    int[] inputs = new int[labels.length];
    for (int i = 0; i < labels.length; i++) {
      int before = i == 0 ? model.decoderStartTokenId() : labels[i - 1];
      inputs[i] = before == IGNORED ? config().padTokenId() : before;
    }
    return inputs;
  }

  /**
   * Logits of whole sequences.
   *
   * @param sources token ids that the encoder reads, without padding
   * @param targets token ids that the decoder reads, for each source
   * @param adapter the adapter to use, or null for the base model
   * @param merged whether the adapter is first folded into a copy of the weights that it changes
   * @return for each target its logits, [tokens][V] in one row-major array
   */
  public List<float[]> logits(
      List<int[]> sources,
      List<int[]> targets,
      @Nullable LoadedSequenceAdapter adapter,
      boolean merged) {
    sources.forEach(source -> requireFits(source.length, "a source"));
    targets.forEach(target -> requireFits(target.length, "a target"));
    try (NDManager scope = Torch.scope("logits");
        Torch.GradMode mode = Torch.gradMode(false)) {
      EncoderDecoderNetwork used = adapter == null ? network : adapter.network();
      if (merged && adapter != null) {
        Map<String, NDArray> changed = adapter.adapter().merged(weights()::get, scope);
        used =
            new EncoderDecoderNetwork(
                model, name -> changed.containsKey(name) ? changed.get(name) : weights().get(name));
      }
      TokenBatch read = TokenBatch.of(scope, sources);
      TokenBatch written = TokenBatch.of(scope, targets);
      NDArray hidden = used.hidden(scope, written, used.memory(scope, read), read);
      List<float[]> result = new ArrayList<>();
      for (int i = 0; i < targets.size(); i++) {
        int start = written.starts()[i];
        int end = start + targets.get(i).length;
        try (NDArray rows = LanguageHead.logits(scope, hidden, used.head(), start, end)) {
          result.add(rows.toFloatArray());
        }
      }
      return result;
    }
  }

  /**
   * What the model says about each token of texts, given its source and the tokens before it.
   *
   * @param sources token ids that the encoder reads, without padding
   * @param labels token ids of the text that each is to become, the one that ends it included
   * @param adapter the adapter to use, or null for the base model
   */
  public List<Reading> read(
      List<int[]> sources, List<int[]> labels, @Nullable LoadedSequenceAdapter adapter) {
    List<int[]> inputs = labels.stream().map(this::decoderInputs).toList();
    List<float[]> logits = logits(sources, inputs, adapter, false);
    List<Reading> readings = new ArrayList<>();
    for (int i = 0; i < labels.size(); i++) {
      readings.add(reading(logits.get(i), labels.get(i)));
    }
    return readings;
  }

  /**
   * @param logits [T][V] in one row-major array
   */
  private static Reading reading(float[] logits, int[] labels) {
    int vocabulary = logits.length / labels.length;
    double[] values = new double[labels.length];
    boolean[] correct = new boolean[labels.length];
    for (int t = 0; t < labels.length; t++) {
      int from = t * vocabulary;
      float label = logits[from + labels[t]];
      float max = label;
      for (int v = from; v < from + vocabulary; v++) {
        max = Math.max(max, logits[v]);
      }
      double sum = 0;
      for (int v = from; v < from + vocabulary; v++) {
        sum += Math.exp(logits[v] - max);
      }
      values[t] = label - max - Math.log(sum);
      correct[t] = label >= max;
    }
    return new Reading(values, correct);
  }

  /** What the model's files say about how it writes. */
  public GenerationDefaults generationDefaults() {
    return defaults;
  }

  /**
   * The rules that the model's files set for what it writes.
   *
   * @param maxNewTokens tokens of a text at most; the model's positions are the other limit
   */
  public TokenConstraints constraints(int maxNewTokens) {
    return constraints(maxNewTokens, defaults.minLength(), defaults.noRepeatNgramSize());
  }

  /** As {@link #constraints(int)}, with other limits than the files set. */
  public TokenConstraints constraints(int maxNewTokens, int minLength, int noRepeatNgramSize) {
    return new TokenConstraints(
        minLength,
        noRepeatNgramSize,
        defaults.forcedBosTokenId(),
        defaults.forcedEosTokenIds(),
        eosTokenIds(),
        (int) Math.min(maxNewTokens + 1L, config().maxPositions()));
  }

  /**
   * Searches for the likeliest texts, all sources in one batch; what is found for one does not
   * depend on the others.
   *
   * @param sources token ids that the encoder reads
   * @param adapter the adapter to use, or null for the base model
   * @return for each source its best texts, best first
   * @throws EngineException TOO_LONG if a source has more tokens than the model has positions
   */
  public List<List<ScoredText>> search(
      List<int[]> sources,
      @Nullable LoadedSequenceAdapter adapter,
      BeamSearchParameters parameters,
      TokenConstraints constraints) {
    sources.forEach(source -> requireFits(source.length, "a source"));
    MemoryDecoder used = adapter == null ? decoder() : adapter.decoder();
    return new SequenceSearch(
            used, sources.size(), parameters, constraints, model.decoderStartTokenId())
        .run(sources, constraints.maxLength());
  }

  /** Refuses a text without tokens, or with more than the model has positions for. */
  void requireFits(int tokens, String what) {
    if (tokens == 0) {
      throw new EngineException(Reason.INVALID_ARGUMENT, what + " has no token");
    }
    if (tokens > config().maxPositions()) {
      throw new EngineException(
          Reason.TOO_LONG,
          what
              + " has "
              + tokens
              + " tokens; the model has positions for "
              + config().maxPositions());
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
