package io.attune.engine.optim;

import java.util.List;

/**
 * Parameters with a learning rate and a weight decay of their own.
 *
 * @param learningRate peak; the schedule scales all groups alike
 */
public record ParameterGroup(List<String> names, double learningRate, double weightDecay) {
  public ParameterGroup {
    names = List.copyOf(names);
  }
}
