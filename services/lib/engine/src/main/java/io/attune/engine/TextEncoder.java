package io.attune.engine;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.adapter.Adapter;
import io.attune.engine.adapter.BaseModel;
import io.attune.engine.checkpoint.AdapterFiles;
import io.attune.engine.checkpoint.HubLayout;
import io.attune.engine.checkpoint.TensorReader;
import io.attune.engine.model.ClassLabels;
import io.attune.engine.model.EncoderModel;
import io.attune.engine.model.EncoderNetwork;
import io.attune.engine.model.EncoderTask;
import io.attune.engine.model.FreshHead;
import io.attune.engine.model.Weights;
import io.attune.engine.sentence.SentenceEmbedder;
import io.attune.engine.tensor.Torch;
import io.attune.engine.token.EncoderTokenizer;
import io.attune.engine.token.TokenizedText;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * An encoder-only model: what classifies texts, or their tokens, or turns them into vectors.
 * Immutable after loading; thread-safe.
 */
public final class TextEncoder extends PretrainedModel {
  /** Texts that are read in one pass. */
  private static final int BATCH = 32;

  private final EncoderModel model;
  private final EncoderNetwork network;
  private final SentenceEmbedder embedder;
  private final EncoderTokenizer encoderTokenizer;

  private TextEncoder(
      HubLayout layout, EncoderModel model, Weights weights, SentenceEmbedder embedder) {
    super(layout, model, weights);
    this.model = model;
    this.network = new EncoderNetwork(model, weights::get);
    this.embedder = embedder;
    int limit =
        embedder.maxTokens() > 0
            ? embedder.maxTokens()
            : EncoderTokenizer.modelMaxLength(layout, model.maxTokens());
    this.encoderTokenizer =
        EncoderTokenizer.open(layout, Math.min(limit, model.maxTokens()), model.segments() > 1);
  }

  /**
   * The model's tokenizer, cutting texts to fewer tokens than {@link #maxTokens}; the caller closes
   * it.
   */
  public EncoderTokenizer tokenizer(int maxTokens) {
    return EncoderTokenizer.open(
        HubLayout.of(folder()), Math.min(maxTokens, maxTokens()), model.segments() > 1);
  }

  /**
   * Loads a folder; refuses another kind of model, and what it cannot compute exactly, naming it.
   */
  public static TextEncoder load(Path folder, LoadOptions options) {
    HubLayout layout = HubLayout.of(folder);
    return load(
        layout, architecture(layout, options, EncoderModel.class, EncoderModel.KIND), options);
  }

  static TextEncoder load(HubLayout layout, EncoderModel model, LoadOptions options) {
    return load(layout, model, () -> weights(layout, model, options));
  }

  /**
   * Loads a folder for a task that it may have no head for: what of the head is missing is drawn.
   *
   * @param model the encoder that the folder holds, for the task
   * @param random whether all weights are drawn
   */
  static TextEncoder forTraining(
      HubLayout layout, EncoderModel model, LoadOptions options, long seed, boolean random) {
    return load(
        layout,
        model,
        () -> random ? Weights.random(model, seed) : completed(layout, model, options, seed));
  }

  private static Weights completed(
      HubLayout layout, EncoderModel model, LoadOptions options, long seed) {
    return Torch.apart(
        () -> {
          try (TensorReader file = layout.openWeights();
              TensorReader whole = FreshHead.over(file, model, seed)) {
            return Weights.read(model, whole, options.writable());
          }
        });
  }

  private static TextEncoder load(HubLayout layout, EncoderModel model, Supplier<Weights> source) {
    SentenceEmbedder embedder = SentenceEmbedder.open(layout, model.config().hiddenSize());
    boolean loaded = false;
    Weights weights = null;
    try {
      weights = source.get();
      TextEncoder encoder = new TextEncoder(layout, model, weights, embedder);
      loaded = true;
      return encoder;
    } finally {
      if (!loaded) {
        embedder.close();
        if (weights != null) {
          weights.close();
        }
      }
    }
  }

  /** What the folder's model is for. */
  public EncoderTask task() {
    return model.task();
  }

  /** The labels of its head; to be asked only where it has one. */
  public ClassLabels labels() {
    return model.labels();
  }

  /** Tokens that are read of a text, special ones included; what is longer is cut. */
  public int maxTokens() {
    return encoderTokenizer.maxTokens();
  }

  /** Components of an embedding. */
  public int embeddingSize() {
    return embedder.size();
  }

  /** A text as the model reads it: special tokens added, and cut to {@link #maxTokens()}. */
  public TokenizedText tokenize(String text) {
    return encoderTokenizer.encode(text);
  }

  /** A pair of texts as the model reads it, such as a question and a passage. */
  public TokenizedText tokenize(String first, String second) {
    return encoderTokenizer.encode(first, second);
  }

  /** A text as it is read to be embedded: as {@link #tokenize}, after the model's own prompt. */
  public TokenizedText tokenizeForEmbedding(String text) {
    return encoderTokenizer.encode(embedder.prepare(text));
  }

  /**
   * One vector for each text, of {@link #embeddingSize()} components, made as the folder's {@code
   * modules.json} says; the mean over its tokens where there is none.
   */
  public List<float[]> embed(List<String> texts) {
    return embeddings(texts.stream().map(this::tokenizeForEmbedding).toList(), null, false);
  }

  /**
   * Logits for each text, or, of a model that labels tokens, for each token of each text.
   *
   * @return for each text its logits, [labels] or [tokens][labels] in one row-major array
   */
  public List<float[]> classify(List<String> texts) {
    return logits(texts.stream().map(this::tokenize).toList(), null, false);
  }

  /**
   * As {@link #classify}, for texts that are tokenized already.
   *
   * @param adapter the adapter to use, or null for the base model
   * @param merged whether the adapter is first folded into a copy of the weights that it changes
   */
  public List<float[]> logits(
      List<TokenizedText> texts, @Nullable LoadedEncoderAdapter adapter, boolean merged) {
    EncoderTask used = adapter == null ? task() : adapter.task();
    if (used == EncoderTask.FEATURE_EXTRACTION) {
      throw new EngineException(
          Reason.INVALID_ARGUMENT, folder() + " has no head that classifies; it gives embeddings");
    }
    return run(
        texts,
        adapter,
        merged,
        (scope, with, hidden, batch) ->
            used == EncoderTask.TOKEN_CLS
                ? EncoderRows.ofTokens(with.head(scope, hidden, batch), batch)
                : EncoderRows.ofTexts(with.head(scope, hidden, batch)));
  }

  /** As {@link #embed}, for texts that are tokenized already; see {@link #logits}. */
  public List<float[]> embeddings(
      List<TokenizedText> texts, @Nullable LoadedEncoderAdapter adapter, boolean merged) {
    return run(
        texts,
        adapter,
        merged,
        (scope, with, hidden, batch) ->
            EncoderRows.ofTexts(
                embedder.embed(
                    scope, hidden, batch.tokens().pad(), EncoderRows.mask(scope, batch))));
  }

  /**
   * Hidden states after the last layer, [tokens][E] in one row-major array for each text; see
   * {@link #logits}.
   */
  public List<float[]> hidden(
      List<TokenizedText> texts, @Nullable LoadedEncoderAdapter adapter, boolean merged) {
    return run(
        texts,
        adapter,
        merged,
        (scope, with, hidden, batch) -> EncoderRows.ofTokens(hidden, batch));
  }

  /**
   * What the pooler makes of each text's first token, [E]: {@code pooler_output} of transformers;
   * see {@link #logits}. Refuses a model without a pooler.
   */
  public List<float[]> pooled(
      List<TokenizedText> texts, @Nullable LoadedEncoderAdapter adapter, boolean merged) {
    EncoderNetwork asked = adapter == null ? network : adapter.network();
    if (asked.model().task() != EncoderTask.FEATURE_EXTRACTION || !asked.hasHead()) {
      throw new EngineException(Reason.INVALID_ARGUMENT, folder() + " has no pooler to show");
    }
    return run(
        texts,
        adapter,
        merged,
        (scope, with, hidden, batch) -> EncoderRows.ofTexts(with.head(scope, hidden, batch)));
  }

  /**
   * Reads an adapter of this model; refuses one of another shape, or one made for another
   * tokenizer, naming what differs.
   *
   * <p>Its {@code task_type} says what the model is for with it: an adapter that classifies brings
   * the head where the model has none, or another.
   */
  public LoadedEncoderAdapter loadAdapter(Path peftFolder) {
    EncoderModel adapted = adapted(AdapterFiles.open(peftFolder));
    Adapter adapter = readAdapter(peftFolder);
    if (adapter.virtualTokens().length > 0) {
      adapter.close();
      throw new EngineException(
          Reason.UNSUPPORTED,
          peftFolder + " has virtual tokens, which is not implemented for encoders");
    }
    for (String name : adapted.parameters().keySet()) {
      if (adapter.weight(name) == null
          && weight(adapted, name) == null
          && !adapted.optionalParameters().contains(name)) {
        adapter.close();
        throw new EngineException(
            Reason.INCOMPATIBLE,
            peftFolder
                + " needs the weight '"
                + name
                + "', which neither it nor "
                + folder()
                + " has; train it with that module in modules_to_save");
      }
    }
    return new LoadedEncoderAdapter(
        adapter,
        new EncoderNetwork(
            adapted,
            seams -> adapter.wrap(seams, false),
            name -> {
              NDArray own = adapter.weight(name);
              return own == null ? weight(adapted, name) : own;
            }));
  }

  /** Refuses an adapter that brings another head than the folder has, too. */
  @Override
  public void merge(Path peftFolder, Path out) {
    EncoderModel adapted = adapted(AdapterFiles.open(peftFolder));
    if (adapted.task() != model.task()
        || adapted.labels().count() != model.labels().count()
        || adapted.pooling() != model.pooling()) {
      throw new EngineException(
          Reason.UNSUPPORTED,
          peftFolder
              + " makes the model another: "
              + adapted.task()
              + " with "
              + adapted.labels().count()
              + " labels, where "
              + folder()
              + " is "
              + model.task()
              + " with "
              + model.labels().count()
              + "; merge it into a folder that has such a head");
    }
    super.merge(peftFolder, out);
  }

  @Override
  EncoderModel architecture() {
    return model;
  }

  @Override
  BaseModel baseModel(AdapterFiles adapter) {
    EncoderModel adapted = adapted(adapter);
    return baseModel(adapted, name -> weight(adapted, name), addedModules());
  }

  /** The model that an adapter was made for: this one, perhaps with another head. */
  private EncoderModel adapted(AdapterFiles files) {
    return AdaptedHead.of(files, model).of(model);
  }

  /** A base weight by the name that it has in {@code as}; null if there is none. */
  private @Nullable NDArray weight(EncoderModel as, String name) {
    NDArray own = weights().get(name);
    for (String alias : own == null ? as.aliases(name) : List.<String>of()) {
      own = own == null ? weights().get(alias) : own;
    }
    return own;
  }

  /** What is made of a batch's hidden states: an array for each text. */
  @FunctionalInterface
  private interface Reading {
    List<float[]> of(
        NDManager scope, EncoderNetwork with, NDArray hidden, EncoderNetwork.Batch batch);
  }

  /** Reads texts in batches of like lengths, so that little of a batch is padding. */
  private List<float[]> run(
      List<TokenizedText> texts,
      @Nullable LoadedEncoderAdapter adapter,
      boolean merged,
      Reading reading) {
    texts.forEach(this::requireFits);
    int[] order =
        IntStream.range(0, texts.size())
            .boxed()
            .sorted(Comparator.comparingInt(i -> texts.get(i).length()))
            .mapToInt(Integer::intValue)
            .toArray();
    float[][] results = new float[texts.size()][];
    try (NDManager scope = Torch.scope("encode");
        Torch.GradMode mode = Torch.gradMode(false)) {
      EncoderNetwork with = adapter == null ? network : network(adapter, merged, scope);
      for (int start = 0; start < order.length; start += BATCH) {
        int[] part = Arrays.copyOfRange(order, start, Math.min(start + BATCH, order.length));
        try (NDManager pass = scope.newSubManager()) {
          EncoderNetwork.Batch batch =
              with.batch(pass, Arrays.stream(part).mapToObj(texts::get).toList());
          List<float[]> read = reading.of(pass, with, with.hidden(pass, batch), batch);
          for (int i = 0; i < part.length; i++) {
            results[part[i]] = read.get(i);
          }
        }
      }
    }
    return Arrays.asList(results);
  }

  private EncoderNetwork network(LoadedEncoderAdapter adapter, boolean merged, NDManager scope) {
    if (!merged) {
      return adapter.network();
    }
    EncoderModel adapted = adapter.network().model();
    Map<String, NDArray> changed = adapter.adapter().merged(name -> weight(adapted, name), scope);
    return new EncoderNetwork(
        adapted, name -> changed.containsKey(name) ? changed.get(name) : weight(adapted, name));
  }

  private void requireFits(TokenizedText text) {
    if (text.length() == 0) {
      throw new EngineException(Reason.INVALID_ARGUMENT, "a text has no token");
    }
    if (text.length() > model.maxTokens()) {
      throw new EngineException(
          Reason.TOO_LONG,
          "a text has " + text.length() + " tokens; " + folder() + " reads " + model.maxTokens());
    }
    for (int i = 0; i < text.length(); i++) {
      int segment = text.segments()[i];
      if (segment < 0 || segment >= model.segments()) {
        throw new EngineException(
            Reason.INVALID_ARGUMENT,
            "token_type_ids has " + segment + "; the model has " + model.segments());
      }
    }
  }

  @Override
  public void close() {
    encoderTokenizer.close();
    embedder.close();
    super.close();
  }
}
