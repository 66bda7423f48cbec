package io.attune.engine.nn;

/**
 * Rotary position embedding (Su et al., arXiv 2104.09864), rotating the two halves of a head.
 *
 * <p>Frequencies are made once in Java from the config; the variants change only them.
 */
public final class RotaryEmbedding {
  private RotaryEmbedding() {}

  /** theta^(-2i/D) for i < D/2. */
  public static float[] frequencies(int headSize, double theta) {
    float[] result = new float[headSize / 2];
    for (int i = 0; i < result.length; i++) {
      result[i] = (float) (1.0 / Math.pow(theta, 2.0 * i / headSize));
    }
    return result;
  }

  /** Position interpolation (arXiv 2306.15595): every frequency divided by {@code factor}. */
  public static float[] linear(float[] frequencies, double factor) {
    float[] result = new float[frequencies.length];
    for (int i = 0; i < result.length; i++) {
      result[i] = (float) (frequencies[i] / factor);
    }
    return result;
  }

  /**
   * Llama 3.1's stretch: slow frequencies divided by {@code factor}, fast ones kept, those between
   * blended, by how often they turn within the original context.
   */
  public static float[] llama3(
      float[] frequencies, double factor, double lowFactor, double highFactor, double original) {
    float[] result = new float[frequencies.length];
    for (int i = 0; i < result.length; i++) {
      double frequency = frequencies[i];
      double wavelength = 2 * Math.PI / frequency;
      if (wavelength > original / lowFactor) {
        result[i] = (float) (frequency / factor);
      } else if (wavelength < original / highFactor) {
        result[i] = (float) frequency;
      } else {
        double blend = (original / wavelength - lowFactor) / (highFactor - lowFactor);
        result[i] = (float) ((1 - blend) * frequency / factor + blend * frequency);
      }
    }
    return result;
  }

  /** Emits {@code cos} and {@code sin}, [N, 1, D/2] each, from {@code positions} [N]. */
  public static void emitAngles(MethodWriter out, String frequencies) {
    out.line("angles = torch.unsqueeze(torch.outer(positions.float(), %s), 1)", frequencies);
    out.line("cos = torch.cos(angles)");
    out.line("sin = torch.sin(angles)");
  }

  /** Emits the rotation of a variable holding [N, heads, D]. */
  public static String emitRotation(MethodWriter out, String x, int headSize) {
    String a = out.value("torch.slice(%s, 2, 0, %d)", x, headSize / 2);
    String b = out.value("torch.slice(%s, 2, %d, %d)", x, headSize / 2, headSize);
    return out.value("torch.cat([%s * cos - %s * sin, %s * cos + %s * sin], 2)", a, b, b, a);
  }
}
