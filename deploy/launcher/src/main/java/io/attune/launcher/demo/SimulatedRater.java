package io.attune.launcher.demo;

import io.attune.launcher.quickstart.Question;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * A SIMULATED person who rates by the {@link Rubric}, with a leaning of their own and some noise,
 * as people have.
 */
final class SimulatedRater {
  private static final double LEANING_DEVIATION = 0.04;
  private static final double NOISE_DEVIATION = 0.06;

  private final String name;
  private final double leaning;
  private final Random random;

  private SimulatedRater(String name, Random random) {
    this.name = name;
    this.random = random;
    this.leaning = random.nextGaussian() * LEANING_DEVIATION;
  }

  /** Some raters; equal seeds give raters who rate equally, in equal order. */
  static List<SimulatedRater> several(int count, long seed) {
    List<SimulatedRater> raters = new ArrayList<>();
    for (int i = 1; i <= count; i++) {
      raters.add(new SimulatedRater("simulated-rater-" + i, new Random(seed * 31 + i)));
    }
    return raters;
  }

  String name() {
    return name;
  }

  /** A score from 0 to 1, in hundredths. */
  double rate(Question question, String answer) {
    double score =
        Rubric.score(question, answer) + leaning + random.nextGaussian() * NOISE_DEVIATION;
    return Math.round(Math.max(0, Math.min(1, score)) * 100) / 100.0;
  }
}
