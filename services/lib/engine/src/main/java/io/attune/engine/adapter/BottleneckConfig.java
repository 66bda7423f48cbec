package io.attune.engine.adapter;

import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.EngineException;
import io.attune.engine.nn.Activation;
import io.attune.engine.nn.Sublayer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What {@code adapter_config.json} says of bottleneck adapters, under the names of AdapterHub's
 * {@code BnConfig}; absent settings are those of its {@code SeqBnConfig}.
 *
 * @param kinds sublayers that have an adapter
 * @param reductions reduction factors by index of a layer, where they differ
 * @param reduction the factor of all other layers; 0 where there is none
 * @param nonLinearity as {@link Activation} knows it
 * @param parallel whether an adapter reads what its sublayer reads, not what that computes
 * @param normFirst whether one that is not parallel reads the stream with its sublayer's result
 *     added, and normalised in post-norm models
 * @param scaling factor of what the adapter adds
 * @param scales trained factors besides
 * @param leftOut indices of layers without an adapter
 */
record BottleneckConfig(
    List<Sublayer.Kind> kinds,
    Map<Integer, Double> reductions,
    double reduction,
    String nonLinearity,
    boolean parallel,
    boolean normFirst,
    double scaling,
    Scales scales,
    double dropout,
    List<Integer> leftOut) {

  /** Trained factors of what an adapter adds: none, one, or one for each element. */
  enum Scales {
    NONE,
    LEARNED,
    CHANNEL
  }

  static BottleneckConfig parse(AdapterConfig config) {
    config.refuse(List.of("ln_before", "ln_after", "use_gating", "phm_layer", "inv_adapter"));
    if (config.number("stochastic_depth", 0) != 0) {
      throw config.unsupported("stochastic_depth", "this setting is not implemented");
    }
    if (!config.flag("original_ln_after", true)) {
      throw config.unsupported("original_ln_after", "only true is implemented");
    }
    boolean parallel = config.flag("is_parallel", false);
    boolean normFirst = config.flag("original_ln_before", true);
    JsonNode residual = config.json().path("residual_before_ln");
    if (!residual.asBoolean(true) && normFirst && !parallel || residual.isTextual()) {
      throw config.unsupported("residual_before_ln", "only true is implemented");
    }
    Map<Integer, Double> reductions = new HashMap<>();
    double reduction = reductions(config, reductions);
    JsonNode scaling = config.json().path("scaling");
    return new BottleneckConfig(
        kinds(config),
        Map.copyOf(reductions),
        reduction,
        Activation.require(
            config.text("non_linearity", "relu").toLowerCase(Locale.ROOT),
            config.where() + ": 'non_linearity'"),
        parallel,
        normFirst,
        scaling.isTextual() ? 1 : config.number("scaling", 1),
        scaling.isTextual() ? scales(config) : Scales.NONE,
        config.dropout("dropout"),
        leftOut(config));
  }

  private static List<Sublayer.Kind> kinds(AdapterConfig config) {
    List<Sublayer.Kind> kinds = new ArrayList<>();
    if (config.flag("mh_adapter", false)) {
      kinds.add(Sublayer.Kind.SELF_ATTENTION);
    }
    if (config.flag("cross_adapter", false)) {
      kinds.add(Sublayer.Kind.CROSS_ATTENTION);
    }
    if (config.flag("output_adapter", true)) {
      kinds.add(Sublayer.Kind.FEED_FORWARD);
    }
    if (kinds.isEmpty()) {
      throw config.invalid("output_adapter", "is false, and so are mh_adapter and cross_adapter");
    }
    return List.copyOf(kinds);
  }

  private static Scales scales(AdapterConfig config) {
    return config.choice("scaling", "", List.of("learned", "channel")).equals("learned")
        ? Scales.LEARNED
        : Scales.CHANNEL;
  }

  /** Fills in the factors of single layers; returns that of the others. */
  private static double reductions(AdapterConfig config, Map<Integer, Double> byLayer) {
    String key = "reduction_factor";
    if (!config.json().path(key).isObject()) {
      return positive(config, config.number(key, 16));
    }
    double others = 0;
    for (Map.Entry<String, Double> entry : config.numbers(key).entrySet()) {
      double factor = positive(config, entry.getValue());
      if (entry.getKey().equals("default")) {
        others = factor;
      } else if (entry.getKey().matches("[0-9]{1,6}")) {
        byLayer.put(Integer.parseInt(entry.getKey()), factor);
      } else {
        throw config.invalid(key, "has '" + entry.getKey() + "', not the index of a layer");
      }
    }
    return others;
  }

  private static double positive(AdapterConfig config, double factor) {
    if (!(factor > 0) || factor == Double.POSITIVE_INFINITY) {
      throw config.invalid("reduction_factor", "has " + factor + "; it must be positive");
    }
    return factor;
  }

  private static List<Integer> leftOut(AdapterConfig config) {
    List<Integer> indices = new ArrayList<>();
    JsonNode value = config.json().path("leave_out");
    if (!value.isArray() && !AdapterConfig.isEmpty(value)) {
      throw config.invalid("leave_out", "is " + value + ", not a list of integers");
    }
    for (JsonNode index : value) {
      if (!index.isInt()) {
        throw config.invalid("leave_out", "has " + index + ", not the index of a layer");
      }
      indices.add(index.intValue());
    }
    return List.copyOf(indices);
  }

  boolean has(Sublayer sublayer) {
    return kinds.contains(sublayer.kind()) && !leftOut.contains(sublayer.index());
  }

  /**
   * Elements of the bottleneck: the hidden state's, divided by the reduction factor, at least 1.
   *
   * @throws EngineException if the layer has no factor
   */
  int size(AdapterConfig config, Sublayer sublayer) {
    double factor = reductions.getOrDefault(sublayer.index(), reduction);
    if (factor == 0) {
      throw config.invalid(
          "reduction_factor", "has none for layer " + sublayer.index() + ", and no default");
    }
    double size = Math.floor(sublayer.size() / factor);
    if (size > 1 << 20) {
      throw config.invalid(
          "reduction_factor", "has " + factor + ", which makes a bottleneck of " + (long) size);
    }
    return (int) Math.max(1, size);
  }
}
