package io.attune.engine.nn;

/**
 * Rotary position embedding (Su et al., arXiv 2104.09864), rotating the two halves of a head, or of
 * its beginning, against each other.
 *
 * @param size elements of a head that are rotated, even; what follows them stays as it is
 * @param attentionFactor multiplies what is rotated (YaRN, LongRoPE); 1 for nothing
 */
public record RotaryEmbedding(int size, RotaryFrequencies frequencies, double attentionFactor) {

  /** Emits {@code cos} and {@code sin}, [N, 1, size/2] each, from {@code positions} [N]. */
  public void emitAngles(MethodWriter out, Attention attention) {
    String f = frequencies.emit(out, attention); // [R, size/2]
    out.line("angles = torch.view(positions.float(), [torch.size(%s, 0), -1, 1])", f);
    out.line(
        "angles = torch.reshape(torch.mul(angles, torch.unsqueeze(%s, 1)), [-1, 1, %d])",
        f, size / 2);
    for (String function : new String[] {"cos", "sin"}) {
      out.line("%s = torch.%s(angles)", function, function);
      if (attentionFactor != 1) {
        out.line(
            "%s = torch.mul(%s, %s)", function, function, MethodWriter.number(attentionFactor));
      }
    }
  }

  /** Emits the rotation of a variable holding [N, heads, headSize]. */
  public String emitRotation(MethodWriter out, String x, int headSize) {
    String a = out.value("torch.slice(%s, 2, 0, %d)", x, size / 2);
    String b = out.value("torch.slice(%s, 2, %d, %d)", x, size / 2, size);
    String rest = "";
    if (size < headSize) {
      rest = ", " + out.value("torch.slice(%s, 2, %d, %d)", x, size, headSize);
    }
    return out.value(
        "torch.cat([%s * cos - %s * sin, %s * cos + %s * sin%s], 2)", a, b, b, a, rest);
  }
}
