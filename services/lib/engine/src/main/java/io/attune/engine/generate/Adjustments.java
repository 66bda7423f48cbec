package io.attune.engine.generate;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * What the bias and the tokens of a text change in the logits. Only tokens that are biased or have
 * been seen are touched. Single-threaded.
 *
 * <p>In transformers' order, the bias comes before the repetition penalty; as in vLLM, the
 * frequency and presence penalties come after it and count the written text, not the prompt.
 */
final class Adjustments {
  private final float repetition;
  private final float presence;
  private final float frequency;
  private final boolean counts;
  private final Map<Integer, Integer> places = new HashMap<>();
  private long[] ids = new long[16];
  private float[] bias = new float[16];
  private float[] penalty = new float[16];
  private int[] written = new int[16];

  Adjustments(SamplingParameters parameters, int[] prompt) {
    repetition = (float) parameters.repetitionPenalty();
    presence = (float) parameters.presencePenalty();
    frequency = (float) parameters.frequencyPenalty();
    counts = presence != 0 || frequency != 0;
    parameters
        .logitBias()
        .forEach(
            (id, value) -> {
              int place = place(id);
              bias[place] = value.floatValue();
            });
    if (repetition != 1) {
      for (int id : prompt) {
        int place = place(id);
        penalty[place] = repetition;
      }
    }
  }

  /** Takes account of a token that was written. */
  void wrote(int id) {
    if (repetition == 1 && !counts) {
      return;
    }
    int place = place(id);
    penalty[place] = repetition;
    written[place]++;
  }

  Logits apply(Logits logits) {
    int n = places.size();
    if (n == 0) {
      return logits;
    }
    float[] minus = new float[n];
    for (int i = 0; i < n; i++) {
      minus[i] = written[i] * frequency + (written[i] > 0 ? presence : 0);
    }
    return logits.adjusted(
        Arrays.copyOf(ids, n), Arrays.copyOf(bias, n), Arrays.copyOf(penalty, n), minus);
  }

  /** Where a token's numbers stand; call it first, because it may replace the arrays. */
  private int place(int id) {
    Integer known = places.get(id);
    if (known != null) {
      return known;
    }
    int place = places.size();
    places.put(id, place);
    if (place == ids.length) {
      ids = Arrays.copyOf(ids, 2 * place);
      bias = Arrays.copyOf(bias, 2 * place);
      penalty = Arrays.copyOf(penalty, 2 * place);
      written = Arrays.copyOf(written, 2 * place);
    }
    ids[place] = id;
    penalty[place] = 1;
    return place;
  }
}
