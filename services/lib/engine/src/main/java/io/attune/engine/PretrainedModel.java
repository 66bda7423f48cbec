package io.attune.engine;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.adapter.Adapter;
import io.attune.engine.adapter.Adapters;
import io.attune.engine.adapter.BaseModel;
import io.attune.engine.adapter.Start;
import io.attune.engine.checkpoint.AdapterFiles;
import io.attune.engine.checkpoint.HubLayout;
import io.attune.engine.checkpoint.TensorArrays;
import io.attune.engine.checkpoint.TensorReader;
import io.attune.engine.checkpoint.TensorType;
import io.attune.engine.model.Architecture;
import io.attune.engine.model.DecoderModel;
import io.attune.engine.model.EncoderDecoderModel;
import io.attune.engine.model.EncoderModel;
import io.attune.engine.model.ModelConfig;
import io.attune.engine.model.Models;
import io.attune.engine.model.Stack;
import io.attune.engine.model.Weights;
import io.attune.engine.tensor.Torch;
import io.attune.engine.token.ChatTemplate;
import io.attune.engine.token.TokenContract;
import io.attune.engine.token.Tokenizer;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * A base model from a Hugging Face folder, whatever its kind. Immutable after loading; thread-safe.
 */
public abstract class PretrainedModel implements AutoCloseable {
  /** Key of {@code attune.json} that holds {@link #contractSha256()}. */
  static final String CONTRACT = "contract_sha256";

  private final Path folder;
  private final Architecture architecture;
  private final Weights weights;
  private final Tokenizer tokenizer;
  private final Optional<ChatTemplate> chatTemplate;
  private final TokenContract contract;

  PretrainedModel(HubLayout layout, Architecture architecture, Weights weights) {
    this.folder = layout.folder();
    this.architecture = architecture;
    this.weights = weights;
    this.tokenizer = Tokenizer.open(layout);
    this.chatTemplate = ChatTemplate.open(layout);
    this.contract = TokenContract.of(layout, tokenizer, chatTemplate);
  }

  /**
   * Loads a folder as the kind of model that its {@code config.json} describes; refuses what it
   * cannot compute exactly, naming it.
   */
  public static PretrainedModel load(Path folder, LoadOptions options) {
    HubLayout layout = HubLayout.of(folder);
    Architecture architecture = architecture(layout, options);
    if (architecture instanceof DecoderModel decoder) {
      return LanguageModel.load(layout, decoder, options);
    }
    if (architecture instanceof EncoderModel encoder) {
      return TextEncoder.load(layout, encoder, options);
    }
    if (architecture instanceof EncoderDecoderModel encoderDecoder) {
      return SequenceToSequence.load(layout, encoderDecoder, options);
    }
    throw new IllegalStateException(architecture.kind() + " has no facade");
  }

  /** What the folder describes, where only one kind of model will do; refuses any other. */
  static <A extends Architecture> A architecture(
      HubLayout layout, LoadOptions options, Class<A> kind, String needed) {
    Architecture architecture = architecture(layout, options);
    if (kind.isInstance(architecture)) {
      return kind.cast(architecture);
    }
    throw new EngineException(
        EngineException.Reason.INVALID_ARGUMENT,
        layout.folder()
            + " holds "
            + architecture.kind()
            + " ('model_type' "
            + architecture.config().modelType()
            + "); this needs "
            + needed);
  }

  /** What the folder's {@code config.json} describes; refuses what cannot be computed exactly. */
  static Architecture architecture(HubLayout layout, LoadOptions options) {
    if (options.threads() > 0) {
      Torch.threads(options.threads());
    }
    return Models.architecture(layout.config(), layout.folder().resolve("config.json").toString());
  }

  static Weights weights(HubLayout layout, Architecture architecture, LoadOptions options) {
    if (options.type() == TensorType.BF16 && !(architecture instanceof DecoderModel)) {
      throw new EngineException(
          Reason.UNSUPPORTED,
          layout.folder()
              + " holds "
              + architecture.config().modelType()
              + "; only decoder-only models compute in bfloat16, this one in float32");
    }
    if (options.quantizer() != null && !(architecture instanceof DecoderModel)) {
      throw new EngineException(
          Reason.UNSUPPORTED,
          layout.folder()
              + " holds "
              + architecture.config().modelType()
              + "; only decoder-only models are quantized");
    }
    return Torch.apart(
        () -> {
          try (TensorReader file = layout.openWeights()) {
            if (options.quantizer() != null) {
              return Weights.readQuantized(architecture, file, options.quantizer());
            }
            return options.type() == TensorType.BF16
                ? Weights.readBfloat16(architecture, file)
                : Weights.read(architecture, file, options.writable());
          }
        });
  }

  public Path folder() {
    return folder;
  }

  public ModelConfig config() {
    return architecture.config();
  }

  public Tokenizer tokenizer() {
    return tokenizer;
  }

  /** Empty for a model that was not made for conversations. */
  public Optional<ChatTemplate> chatTemplate() {
    return chatTemplate;
  }

  /** Tokens that end a text. */
  public Set<Integer> eosTokenIds() {
    return contract.eosTokenIds();
  }

  /** Identifies tokenizer, chat template and end tokens; an adapter is bound to them. */
  public String contractSha256() {
    return contract.sha256();
  }

  Architecture architecture() {
    return architecture;
  }

  Weights weights() {
    return weights;
  }

  /** Shapes of weights beside the architecture's own that an adapter may bring, by name. */
  Map<String, Shape> addedModules() {
    return Map.of();
  }

  /** As {@link #addedModules()}, with the shapes that an adapter has. */
  Map<String, Shape> addedModules(AdapterFiles adapter) {
    return addedModules();
  }

  /**
   * Reads an adapter of this model; refuses one of another shape, or one made for another tokenizer
   * or chat template, naming what differs.
   */
  Adapter readAdapter(Path peftFolder) {
    return Torch.apart(() -> readBound(peftFolder));
  }

  private Adapter readBound(Path peftFolder) {
    AdapterFiles files = AdapterFiles.open(peftFolder);
    String made = files.attune().map(a -> a.path(CONTRACT).asText("")).orElse("");
    if (!made.isEmpty() && !made.equals(contractSha256())) {
      throw new EngineException(
          EngineException.Reason.INCOMPATIBLE,
          peftFolder
              + " was trained with another tokenizer, chat template or end-of-sequence token than "
              + folder
              + " has");
    }
    return Adapters.read(files, baseModel(files));
  }

  /**
   * Makes a new adapter of this model.
   *
   * @param config {@code adapter_config.json}
   */
  Adapter createAdapter(ObjectNode config, long seed) {
    try (NDManager fresh = Torch.scope("fresh")) {
      Map<String, NDArray> modules = new HashMap<>();
      // Before anything is learnt all answers are worth the same. Drawn at random, the score of a
      // wide model would begin far from any that people give.
      addedModules().forEach((name, shape) -> modules.put(name, fresh.zeros(shape)));
      Start start = new Start(seed, modules, text -> tokenizer.encode(text, true), this::original);
      return Adapters.create(config, baseModel(), start);
    }
  }

  /** A weight as the folder has it. */
  private NDArray original(String weight, NDManager scope) {
    try (TensorReader file = HubLayout.of(folder).openWeights()) {
      return TensorArrays.readOwned(file, weights.storedName(weight), scope);
    }
  }

  /** What an adapter may know of this model. */
  BaseModel baseModel() {
    return baseModel(architecture, weights::get, addedModules());
  }

  /** What an adapter that was read may know of the model that it was made for. */
  BaseModel baseModel(AdapterFiles adapter) {
    return baseModel(architecture, weights::get, addedModules(adapter));
  }

  /**
   * What an adapter may know of a model.
   *
   * @param base its weights by name; null for those that it has not
   * @param added shapes of weights beside the architecture's own, by name
   */
  BaseModel baseModel(
      Architecture model, Function<String, NDArray> base, Map<String, Shape> added) {
    Stack stack = model instanceof Stack one ? one : null;
    return new BaseModel(
        model.linears().stream()
            .filter(
                linear ->
                    !model.optionalParameters().contains(linear.weight())
                        || base.apply(linear.weight()) != null)
            .toList(),
        stack == null ? null : stack.embedding(),
        stack == null ? null : stack.heads(),
        stack == null ? 0 : stack.layers(),
        model.parameters(),
        added,
        config().tieWordEmbeddings(),
        base,
        weights.quantized(),
        model.sublayers());
  }

  /**
   * Writes this model with an adapter folded into its weights as a folder of its own; each weight
   * keeps the type that it has here. Refuses an adapter that cannot be merged, and a folder that
   * exists.
   *
   * @param out appears whole or not at all
   */
  public void merge(Path peftFolder, Path out) {
    try (Adapter adapter = readAdapter(peftFolder)) {
      new MergedFolder(folder, weights).write(adapter, out);
    }
  }

  /** A weight as a network with {@code adapter} sees it; null if there is none. */
  NDArray weight(Adapter adapter, String name) {
    NDArray own = adapter.weight(name);
    return own == null ? weights.get(name) : own;
  }

  @Override
  public void close() {
    weights.close();
    tokenizer.close();
  }
}
