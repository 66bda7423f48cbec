package io.attune.engine.nn;

/**
 * Attention over a cache of keys and values, [slots, capacity, K, D] each, written in place.
 *
 * <p>{@code slot} and {@code position} [N] say where each token's key and value go; {@code rows}
 * [n] are the slots read, {@code n} of them with {@code t} new tokens each (N = n * t), of which
 * the first {@code length} places are read; {@code mask} [n, 1, G * t, length] is 0 where a token
 * may look and minus infinity elsewhere. {@code first} is the first slot where the rows follow each
 * other, so that the cache is read in place, else -1.
 */
public final class CachedAttention implements Attention {
  @Override
  public String parameters() {
    return "kc: Tensor, vc: Tensor, slot: Tensor, position: Tensor, rows: Tensor, mask: Tensor,"
        + " first: int, n: int, t: int, length: int";
  }

  @Override
  public String arguments() {
    return "kc[LAYER], vc[LAYER], slot, position, rows, mask, first, n, t, length";
  }

  @Override
  public String emit(MethodWriter out, Heads heads, String query, String key, String value) {
    int d = heads.size();
    int k = heads.keyValues();
    int g = heads.groups();
    out.line("kw = torch.index_put_(kc, [slot, position], %s)", key);
    out.line("vw = torch.index_put_(vc, [slot, position], %s)", value);
    out.line("if first >= 0:");
    out.line("  kr = torch.slice(torch.slice(kc, 0, first, first + n), 1, 0, length)");
    out.line("  vr = torch.slice(torch.slice(vc, 0, first, first + n), 1, 0, length)");
    out.line("else:");
    out.line("  kr = torch.index_select(torch.slice(kc, 1, 0, length), 0, rows)");
    out.line("  vr = torch.index_select(torch.slice(vc, 1, 0, length), 0, rows)");
    // Queries that share a key head become rows of one product, so keys are never repeated.
    out.line(
        "q = torch.permute(torch.view(%s, [n, t, %d, %d, %d]), [0, 2, 3, 1, 4])", query, k, g, d);
    out.line("q = torch.reshape(q, [n, %d, %d * t, %d])", k, g, d);
    out.line(
        "a = torch.scaled_dot_product_attention(q, torch.transpose(kr, 1, 2), torch.transpose(vr, 1,"
            + " 2), mask, 0.0, False, scale=%s)",
        MethodWriter.number(heads.scale()));
    out.line("a = torch.permute(torch.view(a, [n, %d, %d, t, %d]), [0, 3, 1, 2, 4])", k, g, d);
    out.line("a = torch.reshape(a, [n * t, %d])", heads.queries() * d);
    return "a";
  }
}
