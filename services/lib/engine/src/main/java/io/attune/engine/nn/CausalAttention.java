package io.attune.engine.nn;

/**
 * Each token attends to itself and the tokens before it in its own sequence.
 *
 * <p>Tokens arrive without padding. Where sequences differ in length, {@code pad} [B, T] lays them
 * out in rows (places past a row's end repeat token 0) and {@code unpad} [N] takes them back; where
 * all are equal {@code unpad} is empty and the layout is a view. Padding comes last in its row, so
 * causality alone keeps real tokens from seeing it.
 */
public final class CausalAttention implements Attention {
  @Override
  public String parameters() {
    return "pad: Tensor, unpad: Tensor";
  }

  @Override
  public String arguments() {
    return "pad, unpad";
  }

  @Override
  public String emit(MethodWriter out, Heads heads, String query, String key, String value) {
    int d = heads.size();
    out.line("b = torch.size(pad, 0)");
    out.line("t = torch.size(pad, 1)");
    out.line("q = %s", query);
    out.line("k = %s", key);
    out.line("v = %s", value);
    out.line("padded = torch.size(unpad, 0) > 0");
    out.line("if padded:");
    out.line("  places = torch.reshape(pad, [-1])");
    out.line("  q = torch.index_select(q, 0, places)");
    out.line("  k = torch.index_select(k, 0, places)");
    out.line("  v = torch.index_select(v, 0, places)");
    out.line("q = torch.transpose(torch.view(q, [b, t, %d, %d]), 1, 2)", heads.queries(), d);
    out.line("k = torch.transpose(torch.view(k, [b, t, %d, %d]), 1, 2)", heads.keyValues(), d);
    out.line("v = torch.transpose(torch.view(v, [b, t, %d, %d]), 1, 2)", heads.keyValues(), d);
    if (heads.groups() > 1) {
      // The fused kernel on CPU wants as many key heads as query heads.
      for (String x : new String[] {"k", "v"}) {
        out.line(
            "%s = torch.reshape(torch.expand(torch.unsqueeze(%s, 2), [b, %d, %d, t, %d]), [b, %d, t,"
                + " %d])",
            x, x, heads.keyValues(), heads.groups(), d, heads.queries(), d);
      }
    }
    out.line(
        "a = torch.scaled_dot_product_attention(q, k, v, None, 0.0, True, scale=%s)",
        MethodWriter.number(heads.scale()));
    out.line("a = torch.reshape(torch.transpose(a, 1, 2), [b * t, %d])", heads.queries() * d);
    out.line("if padded:");
    out.line("  a = torch.index_select(a, 0, unpad)");
    return "a";
  }
}
