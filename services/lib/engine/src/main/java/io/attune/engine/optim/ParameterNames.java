package io.attune.engine.optim;

import java.util.Collection;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What the names of parameters say about them, in all model families. */
public final class ParameterNames {
  /** Of transformers' Trainer, and GPT-2's norms, which it knows by their type. */
  private static final Pattern NOT_DECAYED =
      Pattern.compile(
          "bias|layernorm|rmsnorm|(?:^|\\.)norm(?:$|\\.)|_norm(?:$|\\.)|(?:^|\\.)ln_[0-9a-z]+\\.");

  private static final Pattern TABLE =
      Pattern.compile(
          "(?:^|\\.)(?:embed_tokens|embed_positions|wte|wpe|shared"
              + "|(?:word|position|token_type)_embeddings)\\.weight");

  private static final Pattern BEFORE_LAYERS =
      Pattern.compile(
          "(?:^|\\.)(?:embeddings|embed_tokens|embed_positions|wte|wpe|shared"
              + "|layernorm_embedding)\\.");

  private static final Pattern LAYER =
      Pattern.compile("^(.*?(?:^|\\.)(?:layers|layer|h|block))\\.([0-9]{1,6})\\.");

  private ParameterNames() {}

  /** Whether weight decay applies to a parameter where nothing else is said: not bias, not norm. */
  static boolean isDecayed(String name) {
    return !NOT_DECAYED.matcher(name.toLowerCase(Locale.ROOT)).find();
  }

  /** Whether a parameter is a table of embeddings. */
  public static boolean isEmbedding(String name) {
    return TABLE.matcher(name).find();
  }

  /** The layer that a weight belongs to; -1 for one outside of all layers. */
  public static int layer(String name) {
    Matcher matcher = LAYER.matcher(name);
    return matcher.find() ? Integer.parseInt(matcher.group(2)) : -1;
  }

  /** Where the path of a module inside a layer begins; 0 for a weight outside of all layers. */
  public static int layerEnd(String name) {
    Matcher matcher = LAYER.matcher(name);
    return matcher.find() ? matcher.end() : 0;
  }

  /** The number of layers in the stack that a weight belongs to. */
  public static int layersBeside(String name, Collection<String> modelNames) {
    String stack = stack(name);
    return modelNames.stream()
        .filter(other -> stack(other).equals(stack))
        .mapToInt(other -> layer(other) + 1)
        .max()
        .orElse(0);
  }

  /** The module path that a layer's index follows; empty for a weight outside of all layers. */
  private static String stack(String name) {
    Matcher matcher = LAYER.matcher(name);
    return matcher.find() ? matcher.group(1) : "";
  }

  /** The number of layers in the stack of each weight, by the path that the index follows. */
  private static Map<String, Integer> layers(Collection<String> names) {
    Map<String, Integer> layers = new HashMap<>();
    for (String name : names) {
      layers.merge(stack(name), layer(name) + 1, Math::max);
    }
    return layers;
  }

  /**
   * How many layers stand between each parameter and the model's end: 0 for a head and what else
   * follows the layers, 1 for the last layer's, one more than there are layers for embeddings.
   *
   * @param modelNames all weights of the model
   */
  static Map<String, Integer> heights(Collection<String> names, Collection<String> modelNames) {
    Map<String, Integer> layers = layers(modelNames);
    int most = layers.values().stream().mapToInt(Integer::intValue).max().orElse(0);
    Map<String, Integer> heights = new HashMap<>();
    for (String name : names) {
      int layer = layer(name);
      int outside = BEFORE_LAYERS.matcher(name).find() ? most + 1 : 0;
      heights.put(name, layer < 0 ? outside : layers.getOrDefault(stack(name), layer + 1) - layer);
    }
    return heights;
  }
}
