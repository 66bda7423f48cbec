package io.attune.engine.nn;

import java.util.List;
import java.util.Map;

/**
 * How fast each pair of a head turns with the position: theta^(-2i/D), as one of the scalings of
 * transformers' {@code ROPE_INIT_FUNCTIONS} changes it.
 *
 * <p>Frequencies are rounded to float32 where the reference rounds them: far into a text the last
 * bit of a frequency moves an angle.
 */
public sealed interface RotaryFrequencies {
  /** Weights that {@link #emit} reads, by name. */
  Map<String, float[]> constants();

  /**
   * Whether a token's angles depend on how long its text is, so that a prompt must be read in one
   * step.
   */
  default boolean dependOnLength() {
    return false;
  }

  /**
   * The length of a text past which tokens read before must be read again, because all of them are
   * turned in another way from there on.
   */
  default int rereadAfter() {
    return Integer.MAX_VALUE;
  }

  /**
   * Emits the frequencies of the tokens of {@code positions} [N].
   *
   * @return a variable holding [R, D/2], for R parts of equally many tokens each; R is 1 or the
   *     number of rows
   */
  String emit(MethodWriter out, Attention attention);

  /** The same frequencies for every text. */
  record Fixed(float[] values) implements RotaryFrequencies {
    private static final String NAME = "rotary.frequencies";

    @Override
    public Map<String, float[]> constants() {
      return Map.of(NAME, values);
    }

    @Override
    public String emit(MethodWriter out, Attention attention) {
      return out.value("torch.unsqueeze(%s, 0)", out.weight(NAME));
    }
  }

  /**
   * Dynamic NTK scaling: theta grows with the length of the text, once that exceeds {@code
   * maxPositions}.
   *
   * <p>As in transformers, the length is that of the longest text of the batch in a whole pass (in
   * training too). In generation it is that of the text as far as it is known: the prompt's for the
   * prompt, then one more with each token, while keys in the cache keep the angles that they were
   * written with. So a text's logits in generation are, past {@code maxPositions}, not those of a
   * whole pass over it; nor are they in transformers. Unlike there, a text's frequencies never
   * depend on texts that were read before it.
   *
   * @param size D, elements of a head that are rotated; more than 2
   */
  record Dynamic(int size, double theta, double factor, int maxPositions)
      implements RotaryFrequencies {
    @Override
    public Map<String, float[]> constants() {
      return Map.of();
    }

    @Override
    public boolean dependOnLength() {
      return true;
    }

    @Override
    public String emit(MethodWriter out, Attention attention) {
      String lengths = attention.emitLengths(out);
      String stretch =
          out.value(
              "torch.clamp(%s, %d).double() * %s - %s",
              lengths,
              maxPositions,
              MethodWriter.number(factor / maxPositions),
              MethodWriter.number(factor - 1));
      String base =
          out.value(
              "torch.unsqueeze(torch.pow(%s, %s) * %s, 1)",
              stretch, MethodWriter.number(size / (size - 2.0)), MethodWriter.number(theta));
      return out.value(
          "torch.reciprocal(torch.pow(%s, torch.arange(0, %d, 2).double() / %d)).float()",
          base, size, size);
    }
  }

  /**
   * LongRoPE (Ding et al., arXiv 2402.13753): one set of frequencies for texts of up to {@code
   * original} tokens, another for longer ones. What counts as a text's length is as in {@link
   * Dynamic}; a text that grows past {@code original} is read again from its start.
   */
  record LongRope(float[] shortValues, float[] longValues, int original)
      implements RotaryFrequencies {
    private static final String SHORT = "rotary.short_frequencies";
    private static final String LONG = "rotary.long_frequencies";

    @Override
    public Map<String, float[]> constants() {
      return Map.of(SHORT, shortValues, LONG, longValues);
    }

    @Override
    public boolean dependOnLength() {
      return true;
    }

    @Override
    public int rereadAfter() {
      return original;
    }

    @Override
    public String emit(MethodWriter out, Attention attention) {
      String lengths = attention.emitLengths(out);
      return out.value(
          "torch.where(torch.unsqueeze(torch.gt(%s, %d), 1), %s, %s)",
          lengths, original, out.weight(LONG), out.weight(SHORT));
    }
  }

  /** theta^(-2i/D) for i < D/2. */
  static float[] plain(int size, double theta) {
    float[] result = new float[size / 2];
    for (int i = 0; i < result.length; i++) {
      result[i] = 1 / turns(i, size, theta);
    }
    return result;
  }

  /** theta^(2i/D): tokens that pair {@code i} takes for one radian. */
  private static float turns(int i, int size, double theta) {
    return (float) Math.pow(theta, (float) (2 * i) / size);
  }

  /** Position interpolation (arXiv 2306.15595): every frequency divided by {@code factor}. */
  static Fixed linear(int size, double theta, double factor) {
    float[] values = plain(size, theta);
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (values[i] / factor);
    }
    return new Fixed(values);
  }

  /**
   * Llama 3.1's stretch: slow frequencies divided by {@code factor}, fast ones kept, those between
   * blended, by how often they turn within the original context.
   */
  static Fixed llama3(
      int size, double theta, double factor, double lowFactor, double highFactor, double original) {
    float[] values = plain(size, theta);
    for (int i = 0; i < values.length; i++) {
      double frequency = values[i];
      double wavelength = 2 * Math.PI / frequency;
      if (wavelength > original / lowFactor) {
        values[i] = (float) (frequency / factor);
      } else if (wavelength >= original / highFactor) {
        double blend = (original / wavelength - lowFactor) / (highFactor - lowFactor);
        values[i] = (float) ((1 - blend) * frequency / factor + blend * frequency);
      }
    }
    return new Fixed(values);
  }

  /**
   * YaRN (Peng et al., arXiv 2309.00071): frequencies that turn more than {@code fast} times within
   * the original context are kept, those that turn less than {@code slow} times divided by {@code
   * factor}, those between blended along a ramp.
   *
   * @param whole whether the ramp begins and ends at a whole pair
   */
  static Fixed yarn(
      int size,
      double theta,
      double factor,
      double fast,
      double slow,
      double original,
      boolean whole) {
    double low = pairThatTurns(fast, size, theta, original);
    double high = pairThatTurns(slow, size, theta, original);
    low = Math.max(whole ? Math.floor(low) : low, 0);
    high = Math.min(whole ? Math.ceil(high) : high, size - 1);
    if (low == high) {
      high += 0.001; // a ramp of no length, as the reference avoids it
    }
    float[] values = new float[size / 2];
    for (int i = 0; i < values.length; i++) {
      float kept = 1 / turns(i, size, theta);
      float divided = 1 / (float) (factor * turns(i, size, theta));
      float ramp = (float) Math.min(1, Math.max(0, (i - low) / (high - low)));
      values[i] = divided * ramp + kept * (1 - ramp);
    }
    return new Fixed(values);
  }

  /** The pair, in fractions, that turns so many times within {@code length} tokens. */
  private static double pairThatTurns(double times, int size, double theta, double length) {
    return size * Math.log(length / (times * 2 * Math.PI)) / (2 * Math.log(theta));
  }

  /**
   * LongRoPE's two sets.
   *
   * @param shortFactors what each frequency is divided by in short texts, [D/2]
   * @param longFactors the same in long ones
   */
  static LongRope longrope(
      int size, double theta, List<Double> shortFactors, List<Double> longFactors, int original) {
    return new LongRope(
        divided(size, theta, shortFactors), divided(size, theta, longFactors), original);
  }

  private static float[] divided(int size, double theta, List<Double> factors) {
    float[] values = new float[size / 2];
    for (int i = 0; i < values.length; i++) {
      values[i] = 1 / (factors.get(i).floatValue() * turns(i, size, theta));
    }
    return values;
  }
}
