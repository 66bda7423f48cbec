package io.attune.engine.nn;

/** Root mean square normalisation (Zhang and Sennrich, arXiv 1910.07467). */
public final class RmsNorm {
  private RmsNorm() {}

  /** Emits x / sqrt(mean(x^2) + epsilon) * weight over the last dimension. */
  public static String emit(MethodWriter out, String x, String weight, int size, double epsilon) {
    return out.value(
        "torch.rms_norm(%s, [%d], torch.type_as(%s, %s), %s)",
        x, size, out.weight(weight), x, MethodWriter.number(epsilon));
  }

  /** As {@link #emit}, for a weight that is stored less 1 (Gemma). */
  public static String emitShifted(
      MethodWriter out, String x, String weight, int size, double epsilon) {
    return out.value(
        "torch.rms_norm(%s, [%d], torch.add(torch.type_as(%s, %s), 1), %s)",
        x, size, out.weight(weight), x, MethodWriter.number(epsilon));
  }
}
