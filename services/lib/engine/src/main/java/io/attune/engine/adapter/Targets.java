package io.attune.engine.adapter;

import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.nn.Embedding;
import io.attune.engine.nn.Linear;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Which modules get the adapter, by PEFT's rules ({@code check_target_module_exists}). */
final class Targets {
  private static final String ALL_LINEAR = "all-linear";

  /** The first numbered part of a path: the index of a layer, not that of an expert in it. */
  private static final Pattern ANY_LAYER = Pattern.compile(".*?\\.[^.]*\\.(\\d+)\\..*");

  private final AdapterConfig config;
  private final List<String> names;
  private final @Nullable ModulePattern pattern;
  private final boolean allLinear;
  private final Predicate<String> excluded;
  private final List<Integer> layers = new ArrayList<>();
  private final List<Pattern> layerPatterns = new ArrayList<>();
  private final List<String> modulesToSave;

  Targets(AdapterConfig config) {
    this.config = config;
    JsonNode targets = config.json().path("target_modules");
    String text = targets.isTextual() ? targets.textValue() : null;
    allLinear = text != null && text.toLowerCase(Locale.ROOT).equals(ALL_LINEAR);
    pattern = text == null || allLinear ? null : pattern("target_modules", text);
    names = text == null ? config.names("target_modules") : List.of();
    modulesToSave = config.names("modules_to_save");
    excluded = excluded();
    JsonNode indexes = config.json().path("layers_to_transform");
    for (JsonNode index : indexes.isInt() ? List.of(indexes) : indexes) {
      if (!index.isInt()) {
        throw config.invalid("layers_to_transform", "is " + indexes + ", not a list of integers");
      }
      layers.add(index.intValue());
    }
    for (String part : config.names("layers_pattern")) {
      layerPatterns.add(Pattern.compile("(?:|.*?\\.)" + Pattern.quote(part) + "\\.(\\d+)\\..*"));
    }
    if (text != null && !(layers.isEmpty() && layerPatterns.isEmpty())) {
      String key = layers.isEmpty() ? "layers_pattern" : "layers_to_transform";
      throw config.invalid(key, "needs 'target_modules' to be a list, not a text");
    }
    if (layers.isEmpty() && !layerPatterns.isEmpty()) {
      throw config.invalid("layers_pattern", "needs 'layers_to_transform'");
    }
    if (text == null && names.isEmpty()) {
      throw config.invalid("target_modules", "is empty; name modules, or say all-linear");
    }
  }

  private ModulePattern pattern(String key, String text) {
    try {
      return new ModulePattern(text);
    } catch (IllegalArgumentException e) {
      throw config.invalid(key, e.getMessage());
    }
  }

  private Predicate<String> excluded() {
    JsonNode value = config.json().path("exclude_modules");
    if (value.isTextual()) {
      return pattern("exclude_modules", value.textValue())::matches;
    }
    List<String> ends = config.names("exclude_modules");
    return module -> ends.stream().anyMatch(end -> endsWith(module, end));
  }

  /** Names of modules that the adapter replaces whole. */
  List<String> modulesToSave() {
    return modulesToSave;
  }

  /** The linear layers that get the adapter; refuses an adapter without any target. */
  List<Linear> linears(BaseModel base) {
    return base.linears().stream().filter(linear -> matches(linear.name(), true)).toList();
  }

  /** The token embedding, if it gets the adapter too. */
  @Nullable Embedding embedding(BaseModel base) {
    Embedding table = base.embedding();
    return table != null && matches(table.name(), false) ? table : null;
  }

  /**
   * Refuses targets that name nothing that can have this adapter.
   *
   * @param embeddings whether the token embedding can
   * @param each whether each single name must be found, as in a new adapter
   */
  void require(BaseModel base, boolean embeddings, boolean each) {
    List<String> modules = new ArrayList<>();
    base.linears().forEach(linear -> modules.add(linear.name()));
    if (embeddings && base.embedding() != null) {
      modules.add(base.embedding().name());
    }
    for (String name : names) {
      if (each && modules.stream().noneMatch(module -> endsWith(module, name))) {
        throw config.incompatible(
            "target_modules names '" + name + "', which is no layer that can have this adapter");
      }
    }
    boolean embedded = embeddings && embedding(base) != null;
    if (!embedded && modules.stream().noneMatch(module -> matches(module, true))) {
      throw config.incompatible(
          "target_modules "
              + config.json().path("target_modules")
              + " names no layer of this model that can have this adapter");
    }
  }

  /** Whether a module gets the adapter. */
  boolean matches(Linear linear) {
    return matches(linear.name(), true);
  }

  boolean matches(String module, boolean linear) {
    if (excluded.test(module) || saved(module)) {
      return false;
    }
    if (allLinear || pattern != null) {
      return allLinear ? linear : pattern.matches(module);
    }
    if (names.contains(module)) {
      return true; // by its whole path, whatever the layers
    }
    return names.stream().anyMatch(name -> endsWith(module, name)) && inLayers(module);
  }

  private boolean saved(String module) {
    return modulesToSave.stream().anyMatch(name -> ("." + module + ".").contains("." + name + "."));
  }

  private boolean inLayers(String module) {
    if (layers.isEmpty()) {
      return true;
    }
    for (Pattern part : layerPatterns.isEmpty() ? List.of(ANY_LAYER) : layerPatterns) {
      Matcher match = part.matcher(module);
      if (match.matches()) {
        return layers.contains(Integer.parseInt(match.group(1)));
      }
    }
    return false;
  }

  static boolean endsWith(String module, String end) {
    return module.equals(end) || module.endsWith("." + end);
  }
}
