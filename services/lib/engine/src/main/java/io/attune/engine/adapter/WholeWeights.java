package io.attune.engine.adapter;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.checkpoint.TensorReader;
import io.attune.engine.nn.Embedding;
import io.attune.engine.nn.MethodWriter;
import io.attune.engine.nn.Projection;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Weights of the base model that an adapter replaces whole: its {@code modules_to_save}, trained;
 * the biases that {@code bias} names, trained; and embedding layers that PEFT saved along, as they
 * are.
 */
final class WholeWeights {
  private static final String BIAS = ".bias";

  /** The embedding's own copy where the head goes on with the base model's. */
  private static final String UNTIED = "modules_to_save.";

  private final AdapterConfig config;
  private final BaseModel base;
  private final AdapterTensors tensors;

  /** What PEFT puts before names; shorter where nothing is put into the model's modules. */
  private final String prefix;

  private final Predicate<String> targeted;

  /** Trained weights, by name, and PEFT's name for each. */
  private final Map<String, String> names = new LinkedHashMap<>();

  private final List<String> missing = new ArrayList<>();

  /** Names of replaced weights as the base model has them. */
  private final List<String> replaced = new ArrayList<>();

  /**
   * @param targeted whether a module has an adapter in its place
   * @param kind what {@code bias} calls the kind: {@code lora} for {@code lora_only}; null for
   *     kinds without biases
   */
  WholeWeights(
      AdapterConfig config,
      BaseModel base,
      AdapterTensors tensors,
      String prefix,
      Predicate<String> targeted,
      @Nullable String kind) {
    this.config = config;
    this.base = base;
    this.tensors = tensors;
    this.prefix = prefix;
    this.targeted = targeted;
    List<String> all = new ArrayList<>(base.parameters().keySet());
    all.addAll(base.added().keySet());
    for (String module : config.names("modules_to_save")) {
      List<String> weights = all.stream().filter(name -> isIn(name, module)).toList();
      if (weights.isEmpty()) {
        missing.add(module); // PEFT names several heads, of which a model has one
      }
      weights.forEach(name -> names.put(ownName(name), prefix + name));
      for (String weight : weights) {
        if (base.isQuantized(weight)) {
          throw config.incompatible(
              "modules_to_save names '"
                  + module
                  + "', whose weights are quantized and cannot be trained whole");
        }
      }
      replaced.addAll(weights);
    }
    if (kind != null) {
      addBiases(config.choice("bias", "none", List.of("none", "all", kind + "_only")));
    }
  }

  /** Whether a weight belongs to a module whose path ends with {@code end}. */
  private static boolean isIn(String weight, String end) {
    for (int dot = weight.indexOf('.'); dot >= 0; dot = weight.indexOf('.', dot + 1)) {
      if (weight.substring(0, dot).endsWith(end)) {
        return true;
      }
    }
    return false;
  }

  private String ownName(String name) {
    Embedding table = base.embedding();
    return base.tiedHead() && table != null && name.equals(table.weight()) ? UNTIED + name : name;
  }

  private void addBiases(String which) {
    if (which.equals("none")) {
      return;
    }
    for (String name : base.parameters().keySet()) {
      if (!name.endsWith(BIAS) || replaced.contains(name)) {
        continue;
      }
      String module = name.substring(0, name.length() - BIAS.length());
      if (targeted.test(module)) {
        names.put(name, prefix + module + ".base_layer.bias");
      } else if (which.equals("all")) {
        names.put(name, prefix + name);
      } else {
        continue;
      }
      replaced.add(name);
    }
  }

  private Shape shape(String name) {
    return base.shape(name.startsWith(UNTIED) ? name.substring(UNTIED.length()) : name);
  }

  /** Makes copies of the base model's weights, and of fresh ones that it has not. */
  void initialise(Start start) {
    for (String module : missing) {
      throw config.incompatible(
          "modules_to_save names '"
              + module
              + "', which this model has not"
              + (base.tiedHead() ? " (its head shares the weight of the embedding)" : ""));
    }
    names.forEach(
        (name, key) -> {
          String own = name.startsWith(UNTIED) ? name.substring(UNTIED.length()) : name;
          NDArray from =
              base.parameters().containsKey(own)
                  ? base.weights().apply(own)
                  : start.modules().get(own);
          tensors.add(name, key, from.duplicate(), true);
        });
  }

  /** Reads what was saved whole; refuses whatever of the file nobody has read by then. */
  void read(TensorReader file) {
    names.forEach((name, key) -> tensors.read(file, key, name, shape(name), true));
    for (String key : tensors.unread(file)) {
      String name = embeddingLayer(key);
      if (name == null) {
        throw new EngineException(
            Reason.INCOMPATIBLE,
            file.source()
                + ": tensor '"
                + key
                + "' belongs to no layer of this model that "
                + "target_modules, modules_to_save or bias names");
      }
      tensors.read(file, key, name, base.parameters().get(name), false);
      replaced.add(name);
    }
  }

  /**
   * The base weight that PEFT's {@code save_embedding_layers} stored under {@code key}: of the
   * token embedding, or of a head like it; null for all else.
   */
  private @Nullable String embeddingLayer(String key) {
    Embedding table = base.embedding();
    if (table == null || !key.startsWith(prefix)) {
      return null;
    }
    String name = key.substring(prefix.length());
    if (name.equals(table.name() + ".base_layer.weight")) {
      return table.weight();
    }
    Shape shape = base.parameters().get(name);
    boolean like = shape != null && shape.equals(table.shape()) && name.endsWith(".weight");
    return like && tensors.get(name) == null ? name : null;
  }

  /** Emits the lookup of ids in the token embedding, or in the adapter's own copy. */
  String lookup(Projection inner, MethodWriter out, String ids, Embedding table) {
    boolean own = names.containsKey(UNTIED + table.weight());
    return inner.embedding(out, ids, own ? table.named(UNTIED + table.name()) : table);
  }

  /** The replaced weights, copied into {@code into}; refuses what a model's folder cannot hold. */
  Map<String, NDArray> merged(NDManager into) {
    Map<String, NDArray> result = new LinkedHashMap<>();
    for (String name : replaced) {
      NDArray array = tensors.get(name);
      if (array == null) {
        throw cannotMerge("module '" + name + "' shares its weight with the head");
      }
      if (!base.parameters().containsKey(name)) {
        throw cannotMerge("the base model has no module for its weight '" + name + "'");
      }
      NDArray copy = array.duplicate();
      copy.attach(into);
      result.put(name, copy);
    }
    return result;
  }

  private EngineException cannotMerge(String why) {
    return new EngineException(
        Reason.UNSUPPORTED, config.where() + ": this adapter cannot be merged: " + why);
  }
}
