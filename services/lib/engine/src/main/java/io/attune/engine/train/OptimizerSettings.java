package io.attune.engine.train;

import ai.djl.ndarray.NDArray;
import io.attune.engine.model.Architecture;
import io.attune.engine.model.DecoderModel;
import io.attune.engine.model.EncoderDecoderModel;
import io.attune.engine.nn.Linear;
import io.attune.engine.optim.Adafactor;
import io.attune.engine.optim.AdamW;
import io.attune.engine.optim.AdamW8bit;
import io.attune.engine.optim.GaLore;
import io.attune.engine.optim.GroupedOptimizer;
import io.attune.engine.optim.GroupedOptimizer.NarrowParameters;
import io.attune.engine.optim.Optimizer;
import io.attune.engine.optim.ParameterGroup;
import io.attune.engine.optim.ParameterGroups;
import io.attune.engine.optim.ParameterNames;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Which optimizer, and what it is told.
 *
 * @param targetModules linear layers that GaLore projects: {@link #ALL_LINEAR}, or as transformers'
 *     {@code optim_target_modules}, parts of their paths or patterns for whole ones
 */
public record OptimizerSettings(
    Optim optim,
    AdamW.Config adam,
    Adafactor.Config adafactor,
    GaLore.Config galore,
    List<String> targetModules,
    ParameterGroups groups,
    double maxGradNorm,
    NarrowParameters narrow) {

  /** Every linear layer, the head too, also where the embedding shares its weight. */
  static final String ALL_LINEAR = "all-linear";

  public OptimizerSettings {
    targetModules = List.copyOf(targetModules);
    if (!(maxGradNorm >= 0)) {
      throw new IllegalArgumentException("'max_grad_norm' must not be negative");
    }
  }

  /** AdamW with transformers' defaults. */
  public static OptimizerSettings adamW(double weightDecay) {
    return new OptimizerSettings(
        Optim.ADAMW_TORCH,
        AdamW.Config.DEFAULT,
        Adafactor.Config.DEFAULT,
        GaLore.Config.DEFAULT,
        List.of(ALL_LINEAR),
        ParameterGroups.decayed(weightDecay),
        1,
        NarrowParameters.MASTER_WEIGHTS);
  }

  /** Sets the optimizer on the parameters of a run. */
  GroupedOptimizer create(
      double learningRate, Map<String, NDArray> trainable, Architecture model, long seed) {
    Map<String, Integer> dimensions = new LinkedHashMap<>();
    trainable.forEach((name, array) -> dimensions.put(name, array.getShape().dimension()));
    List<ParameterGroup> sorted = groups.of(learningRate, dimensions, model.parameters().keySet());
    return new GroupedOptimizer(
        rule(trainable.keySet(), model), trainable, sorted, maxGradNorm, narrow, seed);
  }

  /** The rule for these parameters, which are still to be added. */
  Optimizer rule(Set<String> trainable, Architecture model) {
    return switch (optim) {
      case ADAMW_TORCH -> new AdamW(adam);
      case ADAMW_8BIT -> new AdamW8bit(adam, embeddings(trainable));
      case ADAFACTOR -> new Adafactor(adafactor);
      case GALORE_ADAMW -> GaLore.adamW(galore, adam, projected(trainable, model));
      case GALORE_ADAMW_8BIT -> GaLore.adamW8bit(galore, adam, projected(trainable, model));
    };
  }

  /** Whose moments transformers' Trainer keeps in float32 when it makes bitsandbytes' AdamW. */
  private static Set<String> embeddings(Set<String> trainable) {
    return trainable.stream().filter(ParameterNames::isEmbedding).collect(Collectors.toSet());
  }

  private Set<String> projected(Set<String> trainable, Architecture model) {
    Set<String> weights =
        linears(model).stream()
            .filter(weight -> trainable.contains(weight) && isTarget(weight))
            .collect(Collectors.toCollection(LinkedHashSet::new));
    if (weights.isEmpty()) {
      throw new IllegalArgumentException(
          "optim "
              + optim
              + " projects whole weights of linear layers, and this method trains none that"
              + " 'optim_target_modules' "
              + targetModules
              + " names; train with method full or freeze");
    }
    return weights;
  }

  private static List<String> linears(Architecture model) {
    List<String> weights = new ArrayList<>(model.linears().stream().map(Linear::weight).toList());
    if (model instanceof DecoderModel decoder) {
      weights.add(decoder.headWeight());
    } else if (model instanceof EncoderDecoderModel both) {
      weights.add(both.headWeight());
    }
    return weights;
  }

  private boolean isTarget(String weight) {
    String module = weight.substring(0, weight.lastIndexOf('.'));
    return targetModules.equals(List.of(ALL_LINEAR))
        || targetModules.stream().anyMatch(t -> module.contains(t) || module.matches(t));
  }
}
