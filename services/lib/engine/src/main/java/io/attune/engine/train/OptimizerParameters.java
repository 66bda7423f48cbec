package io.attune.engine.train;

import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.checkpoint.JsonFiles;
import io.attune.engine.optim.Adafactor;
import io.attune.engine.optim.AdamW;
import io.attune.engine.optim.GaLore;
import io.attune.engine.optim.GroupedOptimizer.NarrowParameters;
import io.attune.engine.optim.LearningRate;
import io.attune.engine.optim.ParameterGroups;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.jspecify.annotations.Nullable;

/**
 * From parameters under transformers' names to an optimizer and a schedule; the defaults are
 * transformers', except that GaLore projects all linear layers.
 */
final class OptimizerParameters {
  /** Keys of a group, as torch's optimizers call them, and what finds its parameters. */
  private static final Set<String> GROUP_KEYS = Set.of("params", "lr", "weight_decay");

  private OptimizerParameters() {}

  static OptimizerSettings parse(Parameters in) {
    Optim optim = Optim.named(in.text("optim", "adamw_torch"));
    Parameters arguments = arguments(in, optim);
    Adafactor.Config adafactor =
        new Adafactor.Config(
            arguments.flag("scale_parameter", false),
            arguments.flag("relative_step", false),
            arguments.flag("warmup_init", false),
            arguments.number("clip_threshold", 1),
            arguments.number("decay_rate", -0.8),
            arguments.number("beta1", 0));
    if (adafactor.relativeStep() && in.text("learning_rate").isPresent()) {
      throw new IllegalArgumentException(
          "'learning_rate' has no meaning beside optim_args relative_step=true");
    }
    return new OptimizerSettings(
        optim,
        new AdamW.Config(
            in.number("adam_beta1", 0.9),
            in.number("adam_beta2", 0.999),
            in.number("adam_epsilon", 1e-8)),
        adafactor,
        new GaLore.Config(
            arguments.integer("rank", 128),
            arguments.integer("update_proj_gap", 200),
            arguments.number("scale", 0.25),
            projection(arguments.text("proj_type", "std"))),
        in.list("optim_target_modules", List.of(OptimizerSettings.ALL_LINEAR)),
        new ParameterGroups(
            in.number("weight_decay", 0),
            in.number("loraplus_lr_ratio", 0),
            in.number("loraplus_lr_embedding", ParameterGroups.LORAPLUS_LR_EMBEDDING),
            in.number("layerwise_lr_decay", 1),
            groups(in)),
        in.number("max_grad_norm", 1),
        in.flag("bf16_stochastic_round", false)
            ? NarrowParameters.STOCHASTIC_ROUNDING
            : NarrowParameters.MASTER_WEIGHTS);
  }

  static LearningRate schedule(Parameters in) {
    Map<String, String> options = new HashMap<>();
    in.text("lr_scheduler_kwargs")
        .ifPresent(
            text -> {
              JsonNode json = JsonFiles.parse(text, "parameter 'lr_scheduler_kwargs'");
              if (!json.isObject()) {
                throw new IllegalArgumentException(
                    "parameter 'lr_scheduler_kwargs' is " + text + ", not a JSON object");
              }
              json.fields().forEachRemaining(e -> options.put(e.getKey(), e.getValue().asText()));
            });
    return LearningRate.named(in.text("lr_scheduler_type", "linear"), options);
  }

  /** {@code rank=64, scale=0.5}, with settings that the optimizer knows. */
  private static Parameters arguments(Parameters in, Optim optim) {
    Map<String, String> values = new HashMap<>();
    for (String pair : in.text("optim_args", "").split(",")) {
      String[] parts = pair.split("=", -1);
      String key = parts[0].trim();
      if (pair.isBlank()) {
        continue;
      }
      if (parts.length != 2) {
        throw new IllegalArgumentException(
            "'optim_args' has '" + pair.trim() + "'; it is a list like rank=64,scale=0.5");
      }
      if (!optim.arguments().contains(key)) {
        throw new IllegalArgumentException(
            "'optim_args' has '"
                + key
                + "', which optim "
                + optim
                + " has not; it takes "
                + (optim.arguments().isEmpty()
                    ? "none"
                    : String.join(", ", new TreeSet<>(optim.arguments()))));
      }
      values.put(key, parts[1].trim());
    }
    return new Parameters(values);
  }

  private static GaLore.Projection projection(String name) {
    for (GaLore.Projection projection : GaLore.Projection.values()) {
      if (projection.name().toLowerCase(Locale.ROOT).equals(name)) {
        return projection;
      }
    }
    throw new IllegalArgumentException(
        "'proj_type' of optim_args is " + name + "; it is std, reverse_std, right, left or full");
  }

  /** A JSON array of objects, as {@code [{"params": "lm_head", "lr": 1e-5}]}. */
  private static List<ParameterGroups.Named> groups(Parameters in) {
    List<ParameterGroups.Named> groups = new ArrayList<>();
    in.text("param_groups")
        .ifPresent(
            text -> {
              JsonNode json = JsonFiles.parse(text, "parameter 'param_groups'");
              if (!json.isArray()) {
                throw malformed(text, "is no JSON array of groups");
              }
              json.forEach(group -> groups.add(group(group)));
            });
    return groups;
  }

  private static ParameterGroups.Named group(JsonNode json) {
    json.fieldNames()
        .forEachRemaining(
            key -> {
              if (!GROUP_KEYS.contains(key)) {
                throw malformed(json, "has '" + key + "'; a group has params, lr, weight_decay");
              }
            });
    if (!json.path("params").isTextual() || json.size() < 2) {
      throw malformed(json, "needs 'params', a pattern for names, and 'lr' or 'weight_decay'");
    }
    try {
      return new ParameterGroups.Named(
          Pattern.compile(json.get("params").textValue()),
          number(json, "lr"),
          number(json, "weight_decay"));
    } catch (PatternSyntaxException e) {
      throw malformed(json, "has no valid pattern: " + e.getDescription());
    }
  }

  private static @Nullable Double number(JsonNode group, String key) {
    JsonNode value = group.path(key);
    if (value.isMissingNode()) {
      return null;
    }
    if (!value.isNumber() || !(value.doubleValue() >= 0)) {
      throw malformed(group, "has no number from 0 up as '" + key + "'");
    }
    return value.doubleValue();
  }

  private static IllegalArgumentException malformed(Object group, String what) {
    return new IllegalArgumentException("parameter 'param_groups': " + group + " " + what);
  }
}
