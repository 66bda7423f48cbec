package io.attune.engine.train;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.checkpoint.JsonFiles;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * From parameters under PEFT's names to the {@code adapter_config.json} of a new adapter; the
 * defaults are PEFT's, except that layers are adapted on every linear layer and that there are 20
 * virtual tokens.
 */
final class AdapterSettings {
  /** What no list of names has: such a text is a pattern for whole paths. */
  private static final Pattern REGULAR_EXPRESSION = Pattern.compile("[*+?()|^$\\\\]");

  private final Parameters in;
  private final ObjectNode json = JsonFiles.newObject();

  private AdapterSettings(Parameters in) {
    this.in = in;
  }

  /**
   * Those of LoRA may stand where all weights are trained, so that one set of settings serves both
   * sides of a comparison.
   *
   * @param savedModules what {@code modules_to_save} has besides the parameter's: a new head, say
   */
  static @Nullable ObjectNode parse(
      Parameters in, Method method, List<String> savedModules, String taskType, String baseModel) {
    AdapterSettings settings = new AdapterSettings(in);
    settings.json.put("base_model_name_or_path", baseModel);
    settings.json.put("inference_mode", true);
    settings.json.put("peft_type", method.peftType());
    settings.json.put("task_type", taskType);
    settings.saved(savedModules);
    switch (method) {
      case LORA, QLORA -> settings.lora(in.flag("use_dora", false));
      case DORA -> settings.lora(in.flag("use_dora", true));
      case IA3 -> settings.ia3();
      case VERA -> settings.vera();
      case BOTTLENECK -> settings.bottleneck();
      case PROMPT_TUNING -> settings.promptTuning(baseModel);
      case PREFIX_TUNING -> settings.prefixTuning();
      case P_TUNING -> settings.pTuning();
      case FULL, FREEZE, BITFIT -> {
        settings.lora(false);
        return null;
      }
    }
    return settings.json;
  }

  private void lora(boolean useDora) {
    layers();
    targets("exclude_modules");
    json.put("r", in.integer("r", 8));
    json.put("lora_alpha", in.number("lora_alpha", 8));
    json.put("lora_dropout", in.number("lora_dropout", 0));
    json.put("use_rslora", in.flag("use_rslora", false));
    json.put("use_dora", useDora);
    json.put("bias", in.text("bias", "none"));
    json.put("fan_in_fan_out", false);
    numbers("rank_pattern");
    numbers("alpha_pattern");
    String init = in.text("init_lora_weights", "true");
    if (init.equals("true") || init.equals("false")) {
      json.put("init_lora_weights", Boolean.parseBoolean(init));
    } else {
      json.put("init_lora_weights", init);
    }
    int bits = in.integer("loftq_bits", 4);
    int iterations = in.integer("loftq_iter", 1);
    if (init.equals("loftq")) {
      json.putObject("loftq_config").put("loftq_bits", bits).put("loftq_iter", iterations);
    }
  }

  private void ia3() {
    target("target_modules", "all-linear");
    targets("exclude_modules");
    target("feedforward_modules", "");
    json.put("init_ia3_weights", in.flag("init_ia3_weights", true));
    json.put("fan_in_fan_out", false);
  }

  private void vera() {
    layers();
    json.put("r", in.integer("r", 256));
    json.put("vera_dropout", in.number("vera_dropout", 0));
    json.put("d_initial", in.number("d_initial", 0.1));
    json.put("projection_prng_key", in.whole("projection_prng_key", 0));
    json.put("save_projection", in.flag("save_projection", true));
    json.put("bias", in.text("bias", "none"));
    json.put("init_weights", true);
    json.put("fan_in_fan_out", false);
  }

  /**
   * AdapterHub's names and defaults, but for the start: there, only parallel ones change nothing.
   */
  private void bottleneck() {
    String preset = in.text("adapter_config", "seq_bn");
    boolean twice = false;
    boolean parallel = false;
    boolean scaled = false;
    switch (preset) {
      case "seq_bn", "pfeiffer" -> {}
      case "double_seq_bn", "houlsby" -> twice = true;
      case "par_bn", "parallel" -> parallel = true;
      case "scaled_par_bn", "scaled_parallel" -> {
        parallel = true;
        scaled = true;
      }
      default ->
          throw new IllegalArgumentException(
              "parameter 'adapter_config' is "
                  + preset
                  + "; implemented are seq_bn (pfeiffer), double_seq_bn (houlsby), par_bn"
                  + " (parallel), scaled_par_bn (scaled_parallel)");
    }
    json.put("mh_adapter", in.flag("mh_adapter", twice));
    json.put("output_adapter", in.flag("output_adapter", true));
    json.put("cross_adapter", in.flag("cross_adapter", false));
    String reduction = in.text("reduction_factor", "");
    if (reduction.startsWith("{")) {
      numbers("reduction_factor");
    } else {
      json.put("reduction_factor", in.number("reduction_factor", parallel ? 2 : 16));
    }
    json.put("non_linearity", in.text("non_linearity", twice ? "swish" : "relu"));
    json.put("original_ln_before", in.flag("original_ln_before", !twice && !parallel));
    json.put("original_ln_after", true);
    json.put("residual_before_ln", true);
    json.put("is_parallel", in.flag("is_parallel", parallel));
    String scaling = in.text("scaling", scaled ? "learned" : "");
    if (scaling.equals("learned") || scaling.equals("channel")) {
      json.put("scaling", scaling);
    } else {
      json.put("scaling", in.number("scaling", parallel ? 4 : 1));
    }
    json.put("dropout", in.number("dropout", 0));
    json.put("init_weights", in.text("init_weights", "mam_adapter"));
    layerIndices("leave_out");
  }

  private void promptTuning(String baseModel) {
    virtualTokens();
    String init = in.text("prompt_tuning_init", "RANDOM");
    json.put("prompt_tuning_init", init);
    Optional<String> text = in.text("prompt_tuning_init_text");
    text.ifPresent(t -> json.put("prompt_tuning_init_text", t));
    if (init.equals("TEXT") != text.isPresent()) {
      throw new IllegalArgumentException(
          "'prompt_tuning_init_text' goes together with prompt_tuning_init=TEXT");
    }
    if (text.isPresent()) {
      json.put("tokenizer_name_or_path", baseModel);
    }
  }

  private void prefixTuning() {
    virtualTokens();
    json.put("prefix_projection", in.flag("prefix_projection", false));
    in.text("encoder_hidden_size")
        .ifPresent(size -> json.put("encoder_hidden_size", in.integer("encoder_hidden_size", 0)));
    in.text("init_weights")
        .filter(value -> value.equals("zero"))
        .ifPresent(value -> json.put("init_weights", value));
  }

  private void pTuning() {
    virtualTokens();
    json.put("encoder_reparameterization_type", in.text("encoder_reparameterization_type", "MLP"));
    in.text("encoder_hidden_size")
        .ifPresent(size -> json.put("encoder_hidden_size", in.integer("encoder_hidden_size", 0)));
    json.put("encoder_num_layers", in.integer("encoder_num_layers", 2));
    json.put("encoder_dropout", in.number("encoder_dropout", 0));
  }

  private void virtualTokens() {
    json.put("num_virtual_tokens", in.integer("num_virtual_tokens", 20));
    json.put("num_transformer_submodules", 1);
  }

  private void layers() {
    target("target_modules", "all-linear");
    layerIndices("layers_to_transform");
    names("layers_pattern", List.of());
  }

  private void layerIndices(String key) {
    for (String layer : in.list(key, List.of())) {
      if (!layer.matches("[0-9]{1,6}")) {
        throw new IllegalArgumentException(
            "parameter '" + key + "' has '" + layer + "', not the index of a layer");
      }
      json.withArray(key).add(Integer.parseInt(layer));
    }
  }

  private void targets(String key) {
    in.text(key).ifPresent(text -> target(key, ""));
  }

  /** Names of modules, a pattern for their paths, or all-linear. */
  private void target(String key, String absent) {
    String text = in.text(key, absent);
    if (text.equals("all-linear") || REGULAR_EXPRESSION.matcher(text).find()) {
      json.put(key, text);
    } else {
      in.list(key, List.of()).forEach(json.putArray(key)::add);
    }
  }

  private void saved(List<String> needed) {
    Set<String> modules = new LinkedHashSet<>(in.list("modules_to_save", List.of()));
    modules.addAll(needed);
    if (modules.isEmpty()) {
      json.putNull("modules_to_save");
    } else {
      modules.forEach(json.putArray("modules_to_save")::add);
    }
  }

  private void names(String key, List<String> absent) {
    List<String> names = in.list(key, absent);
    if (names.isEmpty()) {
      json.putNull(key);
    } else {
      names.forEach(json.putArray(key)::add);
    }
  }

  /** Numbers by pattern, written as a JSON object. */
  private void numbers(String key) {
    in.text(key)
        .ifPresent(
            text -> {
              JsonNode value = JsonFiles.parse(text, "parameter '" + key + "'");
              if (!value.isObject()) {
                throw new IllegalArgumentException(
                    "parameter '" + key + "' is " + text + ", not a JSON object");
              }
              json.set(key, value);
            });
  }
}
