package io.attune.engine.nn;

/** Layer normalisation (Ba et al., arXiv 1607.06450). */
public final class LayerNorm {
  private LayerNorm() {}

  /**
   * Emits (x - mean) / sqrt(variance + epsilon) * weight + bias over the last dimension.
   *
   * @param module its weight is {@code module + ".weight"}, its bias {@code module + ".bias"}
   */
  public static String emit(MethodWriter out, String x, String module, int size, double epsilon) {
    return out.value(
        "torch.layer_norm(%s, [%d], torch.type_as(%s, %s), torch.type_as(%s, %s), %s)",
        x,
        size,
        out.weight(module + ".weight"),
        x,
        out.weight(module + ".bias"),
        x,
        MethodWriter.number(epsilon));
  }
}
