package io.attune.engine.adapter;

import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.EngineException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * What {@code adapter_config.json} says about LoRA, with PEFT's meanings.
 *
 * @param rankPattern pattern for the end of a module path to rank; the first that matches counts
 * @param alphaPattern as {@code rankPattern}, to alpha
 */
record LoraConfig(
    int r,
    double alpha,
    double dropout,
    boolean useRslora,
    boolean useDora,
    Map<ModulePattern, Double> rankPattern,
    Map<ModulePattern, Double> alphaPattern) {

  /** Settings that change numbers and are not implemented: refused unless empty. */
  private static final List<String> NOT_IMPLEMENTED =
      List.of(
          "lora_bias",
          "layer_replication",
          "alora_invocation_tokens",
          "trainable_token_indices",
          "target_parameters",
          "use_qalora",
          "use_bdlora",
          "ensure_weight_tying",
          "arrow_config",
          "kasa_config",
          "monteclora_config",
          "velora_config",
          "megatron_config");

  /** Ways to start that leave the base weights as they are, or whose way back is known. */
  private static final Pattern INITIALISATIONS =
      Pattern.compile("gaussian|eva|orthogonal|loftq|pissa(_niter_\\d{1,4})?");

  static LoraConfig parse(AdapterConfig in) {
    in.refuse(NOT_IMPLEMENTED);
    JsonNode init = in.json().path("init_lora_weights");
    if (!init.isMissingNode()
        && !init.isNull()
        && !init.isBoolean()
        && !INITIALISATIONS.matcher(init.asText()).matches()) {
      throw changedBase(in);
    }
    return new LoraConfig(
        in.size("r", 8),
        in.number("lora_alpha", 8),
        in.dropout("lora_dropout"),
        in.flag("use_rslora", false),
        in.flag("use_dora", false),
        patterns(in, "rank_pattern"),
        patterns(in, "alpha_pattern"));
  }

  static EngineException changedBase(AdapterConfig in) {
    return in.unsupported(
        "init_lora_weights",
        "it starts from changed base weights; save the adapter with"
            + " path_initial_model_for_weight_conversion, which makes it an ordinary one");
  }

  private static Map<ModulePattern, Double> patterns(AdapterConfig in, String key) {
    Map<ModulePattern, Double> result = new LinkedHashMap<>();
    in.numbers(key)
        .forEach(
            (pattern, value) -> {
              boolean rank = key.startsWith("rank");
              if (rank && (value < 1 || value > 1 << 20 || value != Math.rint(value))) {
                throw in.invalid(key, "has " + value + " for '" + pattern + "'");
              }
              try {
                result.put(new ModulePattern("(.*\\.)?(" + pattern + ")"), value);
              } catch (IllegalArgumentException e) {
                throw in.invalid(key, "has a malformed pattern: " + pattern);
              }
            });
    return result;
  }

  int rank(String module) {
    return (int) matching(rankPattern, module, r);
  }

  /** What B A x is multiplied with: alpha / r, or alpha / sqrt(r) for rsLoRA (arXiv 2312.03732). */
  double scale(String module) {
    double own = matching(alphaPattern, module, alpha);
    int rank = rank(module);
    return useRslora ? own / Math.sqrt(rank) : own / rank;
  }

  private static double matching(
      Map<ModulePattern, Double> patterns, String module, double otherwise) {
    for (Map.Entry<ModulePattern, Double> entry : patterns.entrySet()) {
      if (entry.getKey().matches(module)) {
        return entry.getValue();
      }
    }
    return otherwise;
  }
}
