package io.attune.engine.generate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.attune.engine.tensor.Torch;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;

/**
 * What choosing a token costs: microseconds of CPU a token, medians, for vocabularies of the sizes
 * that models have. Probabilities fall with the rank to the power of 1.5, much as those of models
 * do.
 *
 * <p>Arguments: threads.
 */
final class SamplerBenchmark {
  private static final int WARM_UP = 100;
  private static final int TIMED = 100;

  private SamplerBenchmark() {}

  public static void main(String[] args) {
    Torch.threads(Integer.parseInt(args[0]));
    int[] prompt = new Random(1).ints(1000, 0, 49_152).toArray();
    Map<String, SamplingParameters.Builder> cases = new LinkedHashMap<>();
    cases.put("greedy", drawn().temperature(0));
    cases.put("greedy, 20 likeliest told", drawn().temperature(0).topLogProbabilities(20));
    cases.put("temperature 0.7", drawn().temperature(0.7));
    cases.put("temperature 1.5", drawn().temperature(1.5));
    cases.put("top-k 50", drawn().topK(50));
    cases.put("top-p 0.9", drawn().topP(0.9));
    cases.put("min-p 0.05", drawn().minP(0.05));
    cases.put("repetition penalty, top-p 0.9", drawn().topP(0.9).repetitionPenalty(1.1));
    for (int vocabulary : new int[] {49_152, 151_936}) {
      float[] row = zipf(vocabulary);
      try (NDManager owner = Torch.scope("benchmark")) {
        NDArray rows = owner.create(row, new Shape(1, vocabulary));
        cases.forEach(
            (name, parameters) ->
                System.out.printf(
                    "%7d  %-32s %6.0f%n",
                    vocabulary, name, time(parameters.build(), prompt, rows)));
      }
    }
  }

  private static SamplingParameters.Builder drawn() {
    return SamplingParameters.builder().seed(7);
  }

  private static float[] zipf(int vocabulary) {
    float[] row = new float[vocabulary];
    Random random = new Random(5);
    for (int i = 0; i < vocabulary; i++) {
      row[i] = (float) (-1.5 * Math.log(i + 1) + random.nextGaussian() / 10);
    }
    for (int i = vocabulary - 1; i > 0; i--) {
      int j = random.nextInt(i + 1);
      float swapped = row[i];
      row[i] = row[j];
      row[j] = swapped;
    }
    return row;
  }

  private static double time(SamplingParameters parameters, int[] prompt, NDArray rows) {
    var sampler = new Sampler(parameters, prompt);
    double[] times = new double[TIMED];
    for (int i = -WARM_UP; i < TIMED; i++) {
      long start = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
      try (NDManager scope = Torch.scope("step")) {
        sampler.next(Logits.row(scope, rows, 0));
      }
      if (i >= 0) {
        times[i] = (ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - start) / 1e3;
      }
    }
    Arrays.sort(times);
    return times[TIMED / 2];
  }
}
