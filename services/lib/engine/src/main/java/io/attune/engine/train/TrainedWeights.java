package io.attune.engine.train;

import io.attune.engine.model.Architecture;
import io.attune.engine.model.EncoderModel;
import io.attune.engine.model.HeadLayer;
import io.attune.engine.nn.Linear;
import io.attune.engine.optim.ParameterNames;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** Which of a model's own weights a method trains; the others get no gradient and no state. */
public sealed interface TrainedWeights {

  /** Names of the trained weights, in the model's order; refuses a model that has none. */
  Set<String> of(Architecture model);

  /** All of them. */
  record All() implements TrainedWeights {
    @Override
    public Set<String> of(Architecture model) {
      return model.parameters().keySet();
    }
  }

  /**
   * BitFit (Ben Zaken et al., arXiv 2106.10199): biases, and an encoder's head.
   *
   * @param fresh layers of the head that start at random, as {@code pooler.dense}: they are trained
   *     whole, since what is drawn is of no use as it is
   * @param saved {@code modules_to_save}: layers of the head that are trained whole besides
   */
  record Biases(List<String> fresh, List<String> saved) implements TrainedWeights {
    public Biases {
      fresh = List.copyOf(fresh);
      saved = List.copyOf(saved);
    }

    @Override
    public Set<String> of(Architecture model) {
      Set<String> trained = new LinkedHashSet<>();
      for (String name : model.parameters().keySet()) {
        if (name.endsWith(".bias")) {
          trained.add(name);
        }
      }
      if (trained.isEmpty()) {
        throw new IllegalArgumentException(
            "method bitfit trains biases, and this model ('model_type' "
                + model.config().modelType()
                + ") has none; use lora, or freeze");
      }
      List<Linear> head =
          model instanceof EncoderModel encoder
              ? encoder.head().stream().map(HeadLayer::linear).toList()
              : List.of();
      for (String module : saved) {
        if (head.stream().noneMatch(linear -> hasPart(linear.weight(), module))) {
          throw new IllegalArgumentException(
              "'modules_to_save' names '"
                  + module
                  + "'; besides biases, method bitfit trains layers of an encoder's head, and this"
                  + " model has "
                  + (head.isEmpty() ? "none" : head.stream().map(Linear::name).toList()));
        }
      }
      for (Linear linear : head) {
        boolean drawn = fresh.stream().anyMatch(each -> ("." + linear.name()).endsWith("." + each));
        if (drawn
            || saved.stream().anyMatch(module -> hasPart(linear.weight(), module))
            || !linear.name().startsWith(((EncoderModel) model).prefix())) {
          trained.add(linear.weight());
        }
      }
      return trained;
    }
  }

  /**
   * Some layers, or some modules of them, with LLaMA-Factory's parameters.
   *
   * @param layers {@code freeze_trainable_layers}: the last n, or for a negative number the first
   *     n; of each stack
   * @param modules {@code freeze_trainable_modules}: names of modules inside those layers, as
   *     {@code mlp}; {@code all} for whole layers
   * @param extra {@code freeze_extra_modules}: names of modules outside of all layers, as {@code
   *     embed_tokens} or a classifier
   */
  record Layers(int layers, List<String> modules, List<String> extra) implements TrainedWeights {
    static final String ALL = "all";

    public Layers {
      modules = List.copyOf(modules);
      extra = List.copyOf(extra);
    }

    @Override
    public Set<String> of(Architecture model) {
      Set<String> names = model.parameters().keySet();
      require(modules, inside(names), "freeze_trainable_modules");
      require(extra, outside(names), "freeze_extra_modules");
      Set<String> trained = new LinkedHashSet<>();
      for (String name : names) {
        int layer = ParameterNames.layer(name);
        boolean chosen =
            layer < 0
                ? extra.stream().anyMatch(module -> hasPart(name, module))
                : isTrained(layer, ParameterNames.layersBeside(name, names))
                    && modules.stream().anyMatch(m -> m.equals(ALL) || hasPart(name, m));
        if (chosen) {
          trained.add(name);
        }
      }
      if (trained.isEmpty()) {
        throw new IllegalArgumentException(
            "method freeze leaves nothing to train: 'freeze_trainable_layers' is "
                + layers
                + " and there is no 'freeze_extra_modules'");
      }
      return trained;
    }

    private boolean isTrained(int layer, int count) {
      return layers < 0 ? layer < -layers : layer >= count - layers;
    }

    private static Set<String> inside(Set<String> names) {
      Set<String> modules = new TreeSet<>(Set.of(ALL));
      for (String name : names) {
        if (ParameterNames.layer(name) >= 0) {
          String path = name.substring(ParameterNames.layerEnd(name), name.lastIndexOf('.'));
          modules.addAll(List.of(path.split("\\.")));
        }
      }
      return modules;
    }

    private static Set<String> outside(Set<String> names) {
      Set<String> modules = new TreeSet<>();
      for (String name : names) {
        if (ParameterNames.layer(name) < 0) {
          modules.addAll(List.of(name.substring(0, name.lastIndexOf('.')).split("\\.")));
        }
      }
      return modules;
    }

    private static void require(List<String> wanted, Set<String> there, String key) {
      for (String module : wanted) {
        if (!there.contains(module)) {
          throw new IllegalArgumentException(
              "'" + key + "' names '" + module + "'; this model has " + String.join(", ", there));
        }
      }
    }
  }

  /** Whether a name has a module in its path; the weight itself is no module. */
  private static boolean hasPart(String name, String module) {
    return ("." + name.substring(0, name.lastIndexOf('.')) + ".").contains("." + module + ".");
  }
}
