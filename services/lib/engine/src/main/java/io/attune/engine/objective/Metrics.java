package io.attune.engine.objective;

import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;

/** Means by name, gathered over the micro-batches of a step. */
public final class Metrics {
  private final Map<String, double[]> sums = new TreeMap<>(); // sum and weight

  /** Adds an observation. */
  public Metrics add(String name, double value) {
    return add(name, value, 1);
  }

  /** Adds a sum of {@code weight} observations. */
  public Metrics add(String name, double sum, double weight) {
    double[] entry = sums.computeIfAbsent(name, n -> new double[2]);
    entry[0] += sum;
    entry[1] += weight;
    return this;
  }

  public Metrics addAll(Metrics other) {
    other.sums.forEach((name, entry) -> add(name, entry[0], entry[1]));
    return this;
  }

  /** The mean of each metric that was observed. */
  public Map<String, Double> means() {
    Map<String, Double> means = new TreeMap<>();
    sums.forEach(
        (name, entry) -> {
          if (entry[1] > 0) {
            means.put(name, entry[0] / entry[1]);
          }
        });
    return means;
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    sums.forEach((name, entry) -> text.append(name).append(Arrays.toString(entry)));
    return text.toString();
  }
}
