package io.attune.engine.adapter;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.checkpoint.JsonFiles;
import io.attune.engine.nn.Linear;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * {@code adapter_config.json} of a LoRA adapter, with PEFT's meanings.
 *
 * @param targetModules ends of module paths; one entry that starts with {@code ^regex:} holds a
 *     pattern for whole paths; {@code all-linear} means every linear layer but the head
 * @param rankPattern pattern for the end of a module path to rank, in order
 * @param alphaPattern as {@code rankPattern}, to alpha
 * @param json the whole file, keys of later versions included
 */
public record LoraConfig(
    int r,
    double loraAlpha,
    double loraDropout,
    List<String> targetModules,
    List<String> modulesToSave,
    boolean useRslora,
    Map<String, Double> rankPattern,
    Map<String, Double> alphaPattern,
    ObjectNode json) {

  private static final String REGEX = "^regex:";

  /** A rank beyond the width of any layer is no low rank. */
  private static final int MAX_RANK = 1 << 16;

  /** One for every layer of the largest models; each is matched with every layer. */
  private static final int MAX_PATTERNS = 4096;

  /** Settings that change numbers and are not implemented: refused unless empty. */
  private static final List<String> UNSUPPORTED =
      List.of(
          "use_dora",
          "lora_bias",
          "fan_in_fan_out",
          "layers_to_transform",
          "exclude_modules",
          "layer_replication",
          "alora_invocation_tokens",
          "trainable_token_indices",
          "target_parameters",
          "use_qalora",
          "use_bdlora",
          "arrow_config",
          "kasa_config",
          "monteclora_config",
          "velora_config",
          "megatron_config",
          "loftq_config",
          "corda_config");

  /** Reads PEFT's file; refuses, by name, settings that change numbers and are not implemented. */
  public static LoraConfig parse(ObjectNode json, String where) {
    for (String key : UNSUPPORTED) {
      JsonNode value = json.path(key);
      if (!isEmpty(value)) {
        throw new EngineException(
            Reason.UNSUPPORTED,
            where + ": '" + key + "' is " + value + ", which is not implemented");
      }
    }
    if (!json.path("bias").asText("none").equals("none")) {
      throw new EngineException(
          Reason.UNSUPPORTED, where + ": 'bias' is " + json.get("bias") + "; implemented is none");
    }
    JsonNode init = json.path("init_lora_weights");
    if (!(isEmpty(init) || init.isBoolean() || init.asText().equals("gaussian"))) {
      throw new EngineException(
          Reason.UNSUPPORTED,
          where + ": 'init_lora_weights' is " + init + ", which changes the base weights");
    }
    try {
      return new LoraConfig(
          (int) rank(number(json, "r", 8)),
          number(json, "lora_alpha", 8),
          number(json, "lora_dropout", 0),
          targets(json.path("target_modules"), where),
          strings(json.path("modules_to_save")),
          json.path("use_rslora").asBoolean(false),
          pattern(json, "rank_pattern"),
          pattern(json, "alpha_pattern"),
          json);
    } catch (IllegalArgumentException e) {
      throw new EngineException(Reason.INVALID_ARGUMENT, where + ": " + e.getMessage(), e);
    }
  }

  public LoraConfig {
    rank(r);
    rankPattern.values().forEach(LoraConfig::rank);
    if (loraDropout < 0 || loraDropout >= 1) {
      throw new IllegalArgumentException("'lora_dropout' is " + loraDropout + "; not in [0, 1)");
    }
    if (targetModules.isEmpty()) {
      throw new IllegalArgumentException("'target_modules' is empty");
    }
  }

  private static double rank(double rank) {
    if (rank < 1 || rank > MAX_RANK || rank != Math.rint(rank)) {
      throw new IllegalArgumentException(
          "'r' is " + rank + "; it must be a whole number from 1 to " + MAX_RANK);
    }
    return rank;
  }

  /** A new adapter's configuration, as PEFT would write it. */
  public static LoraConfig create(
      int r,
      double loraAlpha,
      double loraDropout,
      List<String> targetModules,
      List<String> modulesToSave,
      boolean useRslora,
      String taskType,
      String baseModel) {
    ObjectNode json = JsonFiles.newObject();
    json.put("base_model_name_or_path", baseModel);
    json.put("bias", "none");
    json.put("fan_in_fan_out", false);
    json.put("inference_mode", true);
    json.put("init_lora_weights", true);
    json.put("lora_alpha", loraAlpha);
    json.put("lora_dropout", loraDropout);
    putStrings(json, "modules_to_save", modulesToSave);
    json.put("peft_type", "LORA");
    json.put("r", r);
    if (targetModules.size() == 1 && targetModules.get(0).startsWith(REGEX)) {
      json.put("target_modules", targetModules.get(0).substring(REGEX.length()));
    } else {
      putStrings(json, "target_modules", targetModules);
    }
    json.put("task_type", taskType);
    json.put("use_dora", false);
    json.put("use_rslora", useRslora);
    return new LoraConfig(
        r,
        loraAlpha,
        loraDropout,
        targetModules,
        modulesToSave,
        useRslora,
        Map.of(),
        Map.of(),
        json);
  }

  /** Which layers get the adapter. */
  boolean targets(String module) {
    for (String target : targetModules) {
      if (target.equals("all-linear") || module.equals(target) || module.endsWith("." + target)) {
        return true;
      }
      if (target.startsWith(REGEX)
          && ModulePattern.of(target.substring(REGEX.length())).matches(module)) {
        return true;
      }
    }
    return false;
  }

  /** Refuses targets that name no layer, and an adapter without any. */
  void requireTargets(List<Linear> linears, String where) {
    for (String target : targetModules) {
      LoraConfig only =
          new LoraConfig(
              r,
              loraAlpha,
              loraDropout,
              List.of(target),
              List.of(),
              false,
              Map.of(),
              Map.of(),
              json);
      if (linears.stream().noneMatch(linear -> only.targets(linear.name()))) {
        throw new EngineException(
            Reason.INCOMPATIBLE,
            where
                + ": target_modules names '"
                + target.replace(REGEX, "")
                + "', which is no linear layer inside the model's decoder layers");
      }
    }
  }

  int rank(String module) {
    return (int) matching(rankPattern, module, r);
  }

  /** What B A x is multiplied with: alpha / r, or alpha / sqrt(r) for rsLoRA (arXiv 2312.03732). */
  double scale(String module) {
    double alpha = matching(alphaPattern, module, loraAlpha);
    int rank = rank(module);
    return useRslora ? alpha / Math.sqrt(rank) : alpha / rank;
  }

  private static double matching(Map<String, Double> patterns, String module, double otherwise) {
    for (Map.Entry<String, Double> entry : patterns.entrySet()) {
      if (ModulePattern.of("(.*\\.)?(" + entry.getKey() + ")").matches(module)) {
        return entry.getValue();
      }
    }
    return otherwise;
  }

  private static List<String> targets(JsonNode value, String where) {
    if (!value.isTextual()) {
      return strings(value);
    }
    String text = value.textValue();
    if (text.equals("all-linear")) {
      return List.of(text);
    }
    ModulePattern.of(text);
    return List.of(REGEX + text);
  }

  private static List<String> strings(JsonNode array) {
    Set<String> result = new LinkedHashSet<>();
    for (JsonNode value : array) {
      result.add(value.asText());
    }
    return List.copyOf(result);
  }

  private static Map<String, Double> pattern(ObjectNode json, String key) {
    if (json.path(key).size() > MAX_PATTERNS) {
      throw new IllegalArgumentException(
          "'" + key + "' has more than " + MAX_PATTERNS + " entries");
    }
    Map<String, Double> result = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> entry : json.path(key).properties()) {
      ModulePattern.of(entry.getKey());
      result.put(entry.getKey(), number(json.get(key), entry.getKey(), 0));
    }
    return result;
  }

  private static double number(JsonNode json, String key, double absent) {
    JsonNode value = json.path(key);
    if (value.isMissingNode()) {
      return absent;
    }
    if (!value.isNumber() || !Double.isFinite(value.doubleValue())) {
      throw new IllegalArgumentException("'" + key + "' is " + value + ", not a finite number");
    }
    return value.doubleValue();
  }

  private static void putStrings(ObjectNode json, String key, List<String> values) {
    if (values.isEmpty()) {
      json.putNull(key);
    } else if (values.equals(List.of("all-linear"))) {
      json.put(key, "all-linear");
    } else {
      values.forEach(json.putArray(key)::add);
    }
  }

  private static boolean isEmpty(JsonNode value) {
    return value.isMissingNode()
        || value.isNull()
        || (value.isBoolean() && !value.booleanValue())
        || (value.isContainerNode() && value.isEmpty());
  }
}
