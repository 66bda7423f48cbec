package io.attune.engine.nn;

/**
 * Each token attends to tokens of its own sequence: those before it, or all.
 *
 * <p>Tokens arrive without padding. Where sequences differ in length, {@code pad} [B, T] lays them
 * out in rows (places past a row's end repeat token 0) and {@code unpad} [N] takes them back; where
 * all are equal {@code unpad} is empty and the layout is a view. Padding comes last in its row, so
 * causality alone keeps real tokens from seeing it; without causality a mask does.
 */
public final class PaddedAttention implements Attention {
  private final double dropout;

  public PaddedAttention() {
    this(0);
  }

  /**
   * @param dropout probability with which the weight of a pair of tokens is dropped
   */
  public PaddedAttention(double dropout) {
    this.dropout = dropout;
  }

  @Override
  public String parameters() {
    return "ids: Tensor, pad: Tensor, unpad: Tensor";
  }

  @Override
  public String arguments() {
    return "ids, pad, unpad";
  }

  @Override
  public String emit(MethodWriter out, Form form, String query, String key, String value) {
    Heads heads = form.heads();
    out.line("b = torch.size(pad, 0)");
    out.line("t = torch.size(pad, 1)");
    out.line("padded = torch.size(unpad, 0) > 0");
    emitLayout(out, "q", query, heads.queries(), heads.size(), 1, "pad", "padded");
    emitLayout(out, "k", key, heads.keyValues(), heads.size(), heads.groups(), "pad", "padded");
    emitLayout(out, "v", value, heads.keyValues(), heads.size(), heads.groups(), "pad", "padded");
    if (form.causal() && form.softcap() == 0 && !form.biased()) {
      emitCausal(out, form);
    } else {
      emitMasked(out, form);
    }
    out.line(
        "a = torch.reshape(torch.transpose(a, 1, 2), [b * t, %d])", heads.size() * heads.queries());
    out.line("if padded:");
    out.line("  a = torch.index_select(a, 0, unpad)");
    return "a";
  }

  /**
   * Emits {@code into} [B, heads * groups, T, D] from a variable of tokens laid end to end, by the
   * layout in {@code pad}; each head is repeated {@code groups} times, because the fused kernel on
   * CPU wants as many key heads as query heads.
   */
  static void emitLayout(
      MethodWriter out,
      String into,
      String from,
      int heads,
      int size,
      int groups,
      String pad,
      String padded) {
    out.line("%s = %s", into, from);
    out.line("if %s:", padded);
    out.line("  %s = torch.index_select(%s, 0, torch.reshape(%s, [-1]))", into, into, pad);
    String shape = "torch.size(" + pad + ", 0), torch.size(" + pad + ", 1)";
    out.line(
        "%s = torch.transpose(torch.view(%s, [%s, %d, %d]), 1, 2)", into, into, shape, heads, size);
    if (groups > 1) {
      out.line(
          "%s = torch.reshape(torch.expand(torch.unsqueeze(%s, 2), [-1, -1, %d, -1, -1]), [b, %d, t,"
              + " %d])",
          into, into, groups, heads * groups, size);
    }
  }

  private void emitCausal(MethodWriter out, Form form) {
    String scale = MethodWriter.number(form.heads().scale());
    String whole =
        "torch.scaled_dot_product_attention(q, k, v, None, %s, True, scale=%s)"
            .formatted(MethodWriter.number(dropout), scale);
    if (form.window() == 0) {
      out.line("a = " + whole);
      return;
    }
    out.line("if t > %d:", form.window());
    out.line("  i = torch.arange(t)");
    out.line("  ago = torch.unsqueeze(i, 1) - torch.unsqueeze(i, 0)");
    out.line("  hidden = torch.logical_or(torch.lt(ago, 0), torch.ge(ago, %d))", form.window());
    out.line("  mask = torch.masked_fill(torch.zeros([t, t]), hidden, float(\"-inf\"))");
    out.line(
        "  a = torch.scaled_dot_product_attention(q, k, v, mask.to(q.dtype), %s, False, scale=%s)",
        MethodWriter.number(dropout), scale);
    out.line("else:");
    out.line("  a = " + whole);
  }

  private void emitMasked(MethodWriter out, Form form) {
    out.line("mask = torch.zeros([1, 1, 1, t])");
    if (form.causal()) {
      out.line("i = torch.arange(t)");
      out.line("ago = torch.unsqueeze(i, 1) - torch.unsqueeze(i, 0)");
      out.line("hidden = torch.lt(ago, 0)");
      if (form.window() > 0) {
        out.line("hidden = torch.logical_or(hidden, torch.ge(ago, %d))", form.window());
      }
      out.line("mask = torch.masked_fill(torch.zeros([1, 1, t, t]), hidden, float(\"-inf\"))");
    } else {
      out.line("if padded:");
      out.line("  mask = torch.index_fill(torch.full([b * t], float(\"-inf\")), 0, unpad, 0)");
      out.line("  mask = torch.view(mask, [b, 1, 1, t])");
    }
    if (form.biased()) {
      out.line("mask = torch.add(mask, bias)");
    }
    out.line("mask = mask.to(q.dtype)");
    emitAttention(out, form, dropout);
  }

  /**
   * Emits {@code a} from {@code q}, {@code k}, {@code v} and {@code mask} of one type, softcap
   * included.
   */
  static void emitAttention(MethodWriter out, Form form, double dropout) {
    String scale = MethodWriter.number(form.heads().scale());
    if (form.softcap() == 0) {
      out.line(
          "a = torch.scaled_dot_product_attention(q, k, v, mask, %s, False, scale=%s)",
          MethodWriter.number(dropout), scale);
      return;
    }
    String cap = MethodWriter.number(form.softcap());
    out.line("s = torch.mul(torch.matmul(q, torch.transpose(k, 2, 3)), %s)", scale);
    out.line("s = torch.add(torch.mul(torch.tanh(torch.div(s, %s)), %s), mask)", cap, cap);
    out.line("p = torch.type_as(torch.softmax(s, -1), v)");
    if (dropout > 0) {
      out.line("p = torch.dropout(p, %s, True)", MethodWriter.number(dropout));
    }
    out.line("a = torch.matmul(p, v)");
  }

  @Override
  public String emitDistances(MethodWriter out) {
    out.line("i = torch.arange(torch.size(pad, 1))");
    return out.value("torch.unsqueeze(torch.unsqueeze(i, 0) - torch.unsqueeze(i, 1), 0)");
  }

  @Override
  public String emitLengths(MethodWriter out) {
    return out.value("torch.view(torch.max(positions) + 1, [1])");
  }
}
