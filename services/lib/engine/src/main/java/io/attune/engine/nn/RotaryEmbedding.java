package io.attune.engine.nn;

/**
 * Rotary position embedding (Su et al., arXiv 2104.09864), rotating the two halves of a head, or of
 * its beginning, against each other.
 *
 * @param size elements of a head that are rotated, even; what follows them stays as it is
 * @param attentionFactor multiplies what is rotated (YaRN, LongRoPE); 1 for nothing
 */
public record RotaryEmbedding(int size, RotaryFrequencies frequencies, double attentionFactor) {

  /**
   * Emits {@code cos} and {@code sin}, [N, 1, size] each, from {@code positions} [N]: the cosines
   * twice, and the sines first negative, then positive, as each half of a head needs them.
   */
  public void emitAngles(MethodWriter out, Attention attention) {
    String f = frequencies.emit(out, attention); // [R, size/2]
    out.line("angles = torch.view(positions.float(), [torch.size(%s, 0), -1, 1])", f);
    out.line(
        "angles = torch.reshape(torch.mul(angles, torch.unsqueeze(%s, 1)), [-1, 1, %d])",
        f, size / 2);
    out.line("cos = torch.cos(angles)");
    out.line("sin = torch.sin(angles)");
    if (attentionFactor != 1) {
      out.line("cos = torch.mul(cos, %s)", MethodWriter.number(attentionFactor));
      out.line("sin = torch.mul(sin, %s)", MethodWriter.number(attentionFactor));
    }
    out.line("cos = torch.cat([cos, cos], 2)");
    out.line("sin = torch.cat([torch.neg(sin), sin], 2)");
  }

  /** Emits the rotation of a variable holding [N, heads, headSize]. */
  public String emitRotation(MethodWriter out, String x, int headSize) {
    String part = size == headSize ? x : out.value("torch.slice(%s, 2, 0, %d)", x, size);
    String rotated =
        out.value(
            "torch.addcmul(torch.mul(%s, cos), torch.roll(%s, [%d], [2]), sin)",
            part, part, size / 2);
    return size == headSize
        ? rotated
        : out.value("torch.cat([%s, torch.slice(%s, 2, %d, %d)], 2)", rotated, x, size, headSize);
  }
}
