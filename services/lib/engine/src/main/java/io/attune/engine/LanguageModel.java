package io.attune.engine;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.adapter.Adapter;
import io.attune.engine.adapter.Adapters;
import io.attune.engine.checkpoint.AdapterFiles;
import io.attune.engine.checkpoint.HubLayout;
import io.attune.engine.checkpoint.TensorReader;
import io.attune.engine.data.Examples;
import io.attune.engine.model.Architecture;
import io.attune.engine.model.Decoder;
import io.attune.engine.model.ModelConfig;
import io.attune.engine.model.Models;
import io.attune.engine.model.Network;
import io.attune.engine.model.TokenBatch;
import io.attune.engine.model.Weights;
import io.attune.engine.nn.DenseProjection;
import io.attune.engine.nn.LanguageHead;
import io.attune.engine.tensor.Seed;
import io.attune.engine.tensor.Torch;
import io.attune.engine.token.ChatTemplate;
import io.attune.engine.token.TokenContract;
import io.attune.engine.token.Tokenizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A base model from a Hugging Face folder. Immutable after loading; thread-safe. */
public final class LanguageModel implements AutoCloseable {
  static final String SCORE = "score.weight";

  /** Key of {@code attune.json} that holds {@link #contractSha256()}. */
  static final String CONTRACT = "contract_sha256";

  private final Path folder;
  private final Architecture architecture;
  private final Weights weights;
  private final Network network;
  private final Tokenizer tokenizer;
  private final Optional<ChatTemplate> chatTemplate;
  private final TokenContract contract;
  private @Nullable Decoder decoder;

  private LanguageModel(HubLayout layout, Architecture architecture, Weights weights) {
    this.folder = layout.folder();
    this.architecture = architecture;
    this.weights = weights;
    this.network = new Network(architecture, new DenseProjection(), weights::get);
    this.tokenizer = Tokenizer.open(layout);
    this.chatTemplate = ChatTemplate.open(layout);
    this.contract = TokenContract.of(layout, tokenizer, chatTemplate);
  }

  /** Loads a folder; refuses what it cannot compute exactly, naming it. */
  public static LanguageModel load(Path folder, LoadOptions options) {
    HubLayout layout = HubLayout.of(folder);
    if (options.threads() > 0) {
      Torch.threads(options.threads());
    }
    Architecture architecture =
        Models.architecture(layout.config(), folder.resolve("config.json").toString());
    try (TensorReader file = layout.openWeights()) {
      return new LanguageModel(
          layout, architecture, Weights.read(architecture, file, options.writable()));
    }
  }

  /** As {@link #load}, with weights drawn at random: where training starts from nothing. */
  static LanguageModel random(Path folder, LoadOptions options, long seed) {
    HubLayout layout = HubLayout.of(folder);
    if (options.threads() > 0) {
      Torch.threads(options.threads());
    }
    Architecture architecture =
        Models.architecture(layout.config(), folder.resolve("config.json").toString());
    return new LanguageModel(layout, architecture, Weights.random(architecture, seed));
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

  /**
   * Turns rows into what this model reads.
   *
   * @param maxLength tokens of an example, prompt included
   */
  public Examples examples(int maxLength) {
    return new Examples(tokenizer, chatTemplate, eosTokenIds(), maxLength);
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

  Network network() {
    return network;
  }

  /**
   * Reads an adapter of this model; refuses one of another shape, or one made for another tokenizer
   * or chat template, naming what differs.
   */
  public LoadedAdapter loadAdapter(Path peftFolder) {
    Adapter adapter = readAdapter(peftFolder);
    return new LoadedAdapter(
        adapter,
        new Network(
            architecture,
            adapter.projection(new DenseProjection(), false),
            name -> weight(adapter, name)));
  }

  Adapter readAdapter(Path peftFolder) {
    AdapterFiles files = AdapterFiles.open(peftFolder);
    String made = files.attune().map(a -> a.path(CONTRACT).asText("")).orElse("");
    if (!made.isEmpty() && !made.equals(contractSha256())) {
      throw new EngineException(
          Reason.INCOMPATIBLE,
          peftFolder
              + " was trained with another tokenizer, chat template or end-of-sequence token than "
              + folder
              + " has");
    }
    Map<String, Shape> shapes = new LinkedHashMap<>(architecture.parameters());
    shapes.put(SCORE, new Shape(1, config().hiddenSize()));
    return Adapters.read(files, architecture.linears(), shapes);
  }

  /**
   * What {@code modules_to_save} start from, by weight name: the base model's weights; for {@code
   * score}, which it has not, normal(0, 1/(E + 1)) as in arXiv 1909.08593, to be closed by the
   * caller.
   */
  Map<String, NDArray> initialModules(List<String> modules, long seed) {
    Map<String, NDArray> result = new LinkedHashMap<>();
    for (String module : modules) {
      if (SCORE.equals(module + ".weight")) {
        float[] values = new float[config().hiddenSize()];
        Random random = Seed.random(seed, SCORE);
        for (int i = 0; i < values.length; i++) {
          values[i] = (float) (random.nextGaussian() / Math.sqrt(values.length + 1));
        }
        result.put(SCORE, Torch.root().create(values, new Shape(1, values.length)));
        continue;
      }
      String name =
          weights.parameters().keySet().stream()
              .filter(n -> n.equals(module + ".weight") || n.endsWith("." + module + ".weight"))
              .findFirst()
              .orElseThrow(
                  () ->
                      new EngineException(
                          Reason.INCOMPATIBLE,
                          "modules_to_save names '" + module + "', which the model has not"));
      if (config().tieWordEmbeddings() && name.equals(architecture.embeddingWeight())) {
        throw new EngineException(
            Reason.UNSUPPORTED,
            "modules_to_save names '" + module + "', which shares its weight with the head");
      }
      result.put(name, weights.get(name));
    }
    return result;
  }

  private NDArray weight(Adapter adapter, String name) {
    NDArray own = adapter.weight(name);
    return own == null ? weights.get(name) : own;
  }

  /** For generation inside the engine; made at its first use. */
  public synchronized Decoder decoder() {
    if (decoder == null) {
      decoder = network.decoder();
    }
    return decoder;
  }

  /**
   * Logits of whole sequences.
   *
   * @param sequences token ids, without padding
   * @param adapter the adapter to use, or null for the base model
   * @param merged whether the adapter is first folded into a copy of the weights that it changes
   * @return for each sequence its logits, [tokens][V] in one row-major array
   */
  public List<float[]> logits(
      List<int[]> sequences, @Nullable LoadedAdapter adapter, boolean merged) {
    try (NDManager scope = Torch.scope("logits");
        Torch.GradMode mode = Torch.gradMode(false)) {
      Network used = adapter == null ? network : adapter.network();
      if (merged && adapter != null) {
        Map<String, NDArray> changed = adapter.adapter().merged(weights::get, scope);
        used =
            new Network(
                architecture,
                new DenseProjection(),
                name -> changed.containsKey(name) ? changed.get(name) : weights.get(name));
      }
      TokenBatch batch = TokenBatch.of(scope, sequences);
      NDArray hidden = used.hidden(scope, batch);
      List<float[]> result = new ArrayList<>();
      for (int i = 0; i < sequences.size(); i++) {
        int start = batch.starts()[i];
        int end = start + sequences.get(i).length;
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
    weights.close();
    tokenizer.close();
  }
}
