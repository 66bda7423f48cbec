package io.attune.engine.model;

import io.attune.engine.nn.Activation;
import io.attune.engine.nn.Attention;
import io.attune.engine.nn.RotaryEmbedding;
import java.util.Collections;
import java.util.List;

/**
 * What the {@code config.json} of all {@link RotaryDecoder}s says.
 *
 * @param activation of the gate, by transformers' name
 * @param windows for each layer how many tokens back a token sees, itself included; 0 for all
 */
record RotaryConfig(
    ModelConfig model,
    int intermediateSize,
    Attention.Heads heads,
    double rmsNormEps,
    String activation,
    List<Integer> windows,
    RotaryEmbedding rotary) {

  /**
   * What a family takes where its {@code config.json} is silent: the defaults of transformers'
   * config class.
   *
   * @param originalPositions of {@code original_max_position_embeddings}; 0 for {@code
   *     max_position_embeddings}
   * @param phi3 whether rotary positions are read as Phi-3 does
   */
  record Defaults(
      String modelType,
      int maxPositions,
      double rmsNormEps,
      boolean tieWordEmbeddings,
      int originalPositions,
      boolean phi3) {
    Defaults(String modelType, int maxPositions) {
      this(modelType, maxPositions, 1e-6, false, 0, false);
    }
  }

  /**
   * Reads all but windows; what the family adds, and {@code in.finish()}, is left to the family.
   */
  static RotaryConfig read(ConfigReader in, Defaults absent) {
    int hidden = in.size("hidden_size");
    int heads = in.size("num_attention_heads");
    int keyValueHeads = in.size("num_key_value_heads", heads);
    int headSize = in.size("head_dim", Math.max(hidden / heads, 1));
    if (heads % keyValueHeads != 0) {
      throw in.malformed("num_key_value_heads", "does not divide num_attention_heads");
    }
    int layers = in.size("num_hidden_layers");
    int maxPositions = in.size("max_position_embeddings", absent.maxPositions());
    int original = absent.originalPositions() > 0 ? absent.originalPositions() : maxPositions;
    RotaryReader.Rotary rotary =
        new RotaryReader(in, maxPositions, original).read(headSize, absent.phi3());
    in.ignore("attention_dropout");
    List<Integer> bos = in.ids("bos_token_id");
    ModelConfig model =
        new ModelConfig(
            absent.modelType(),
            in.size("vocab_size"),
            hidden,
            layers,
            rotary.context(),
            in.flag("tie_word_embeddings", absent.tieWordEmbeddings()),
            in.number("initializer_range", 0.02),
            in.ids("eos_token_id"),
            bos.isEmpty() ? -1 : bos.get(0),
            in.integer("pad_token_id", -1));
    return new RotaryConfig(
        model,
        in.size("intermediate_size"),
        new Attention.Heads(heads, keyValueHeads, headSize, 1 / Math.sqrt(headSize)),
        in.number("rms_norm_eps", absent.rmsNormEps()),
        Activation.require(in.text("hidden_act", "silu"), "'hidden_act'"),
        Collections.nCopies(layers, 0),
        rotary.embedding());
  }

  /** One window, of {@code sliding_window} tokens, in all layers; none where that is null. */
  RotaryConfig withOneWindow(ConfigReader in, int absent) {
    int window = in.window("sliding_window", absent);
    return withWindows(Collections.nCopies(model.layers(), window));
  }

  RotaryConfig withWindows(List<Integer> values) {
    return new RotaryConfig(
        model, intermediateSize, heads, rmsNormEps, activation, List.copyOf(values), rotary);
  }

  /**
   * A window in the layers that {@code layer_types} calls sliding.
   *
   * @param window of {@code sliding_window}; 0 if there is none
   * @param absent what {@code layer_types} is where it is missing
   */
  RotaryConfig withLayerTypes(ConfigReader in, int window, List<String> absent) {
    List<String> types = in.has("layer_types") ? in.list("layer_types") : absent;
    if (types.size() != model.layers()) {
      throw in.malformed(
          "layer_types", "names " + types.size() + " layers; the model has " + model.layers());
    }
    return withWindows(types.stream().map(type -> window(in, type, window)).toList());
  }

  private static int window(ConfigReader in, String type, int window) {
    return switch (type) {
      case "full_attention" -> 0;
      case "sliding_attention" -> {
        if (window == 0) {
          throw in.malformed("layer_types", "has sliding layers; sliding_window is missing");
        }
        yield window;
      }
      default ->
          throw in.unsupported(
              "layer_types", type, "implemented are full_attention and sliding_attention");
    };
  }

  /** Another factor of the products of query and key. */
  RotaryConfig withScale(double scale) {
    Attention.Heads scaled =
        new Attention.Heads(heads.queries(), heads.keyValues(), heads.size(), scale);
    return new RotaryConfig(
        model, intermediateSize, scaled, rmsNormEps, activation, windows, rotary);
  }

  /** The gate's activation by another key. */
  RotaryConfig withActivation(ConfigReader in, String key, String absent) {
    String named = Activation.require(in.text(key, absent), "'" + key + "'");
    return new RotaryConfig(model, intermediateSize, heads, rmsNormEps, named, windows, rotary);
  }
}
