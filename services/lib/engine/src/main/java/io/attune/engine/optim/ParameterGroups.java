package io.attune.engine.optim;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Which learning rate and weight decay each parameter has.
 *
 * <p>Biases and norms do not decay. LoRA+ (Hayou et al., arXiv 2402.12354) gives B matrices a
 * higher rate; layer-wise decay (Howard and Ruder, arXiv 1801.06146) gives lower layers a lower
 * one; a named group says its own outright.
 *
 * @param loraplusLrRatio what the rate of LoRA's B matrices and of vectors is multiplied by; 0 for
 *     no LoRA+
 * @param loraplusLrEmbedding rate of LoRA matrices of embeddings under LoRA+
 * @param layerwiseLrDecay what the rate is multiplied by from each layer to the one below it
 * @param named groups of their own; the first that has a parameter takes it
 */
public record ParameterGroups(
    double weightDecay,
    double loraplusLrRatio,
    double loraplusLrEmbedding,
    double layerwiseLrDecay,
    List<Named> named) {

  /** Weight decay, and nothing else. */
  public static ParameterGroups decayed(double weightDecay) {
    return new ParameterGroups(weightDecay, 0, LORAPLUS_LR_EMBEDDING, 1, List.of());
  }

  /** PEFT's default for {@code loraplus_lr_embedding}. */
  public static final double LORAPLUS_LR_EMBEDDING = 1e-6;

  /**
   * A group by name.
   *
   * @param params found in the names of its parameters
   * @param lr null for the rate that they have without the group
   * @param weightDecay null likewise; else of biases and norms too
   */
  public record Named(Pattern params, @Nullable Double lr, @Nullable Double weightDecay) {}

  public ParameterGroups {
    if (!(weightDecay >= 0)) {
      throw new IllegalArgumentException("'weight_decay' must not be negative");
    }
    if (!(loraplusLrRatio >= 0) || !(loraplusLrEmbedding >= 0)) {
      throw new IllegalArgumentException(
          "'loraplus_lr_ratio' and 'loraplus_lr_embedding' must not be negative");
    }
    if (!(layerwiseLrDecay > 0 && layerwiseLrDecay <= 1)) {
      throw new IllegalArgumentException("'layerwise_lr_decay' must be in (0, 1]");
    }
    named = List.copyOf(named);
  }

  private record Rate(double learningRate, double weightDecay) {}

  /**
   * Sorts parameters into groups; refuses settings that none of them answers to.
   *
   * @param learningRate of all that nothing else is said about
   * @param dimensions of each parameter, by name
   * @param modelNames all weights of the model, trained or not
   */
  public List<ParameterGroup> of(
      double learningRate, Map<String, Integer> dimensions, Collection<String> modelNames) {
    if (loraplusLrRatio > 0 && dimensions.keySet().stream().noneMatch(n -> n.contains("lora_B"))) {
      throw new IllegalArgumentException(
          "'loraplus_lr_ratio' is for methods that train LoRA's B matrices: lora and dora");
    }
    for (Named group : named) {
      if (dimensions.keySet().stream().noneMatch(name -> group.params().matcher(name).find())) {
        throw new IllegalArgumentException(
            "'param_groups' names '"
                + group.params()
                + "', which is in no trained parameter; one is "
                + dimensions.keySet().iterator().next());
      }
    }
    Map<String, Integer> heights = ParameterNames.heights(dimensions.keySet(), modelNames);
    Map<Rate, List<String>> groups = new LinkedHashMap<>();
    dimensions.forEach(
        (name, count) ->
            groups
                .computeIfAbsent(
                    rate(name, base(learningRate, name, count), heights.get(name)),
                    rate -> new ArrayList<>())
                .add(name));
    List<ParameterGroup> result = new ArrayList<>();
    groups.forEach(
        (rate, names) ->
            result.add(new ParameterGroup(names, rate.learningRate(), rate.weightDecay())));
    return result;
  }

  private Rate rate(String name, double base, int height) {
    double rate = base * Math.pow(layerwiseLrDecay, height);
    double decay = ParameterNames.isDecayed(name) ? weightDecay : 0;
    for (Named group : named) {
      if (group.params().matcher(name).find()) {
        return new Rate(
            group.lr() == null ? rate : group.lr(),
            group.weightDecay() == null ? decay : group.weightDecay());
      }
    }
    return new Rate(rate, decay);
  }

  /** As peft's {@code create_loraplus_optimizer} sorts them. */
  private double base(double learningRate, String name, int dimensions) {
    if (loraplusLrRatio == 0) {
      return learningRate;
    }
    if (name.contains("lora_embedding_")) {
      return loraplusLrEmbedding;
    }
    return name.contains("lora_B") || dimensions == 1
        ? learningRate * loraplusLrRatio
        : learningRate;
  }
}
