package io.attune.engine.nn;

import java.util.List;
import java.util.function.Function;

/**
 * Cross-attention over keys and values that were computed when a text was read, [slots, capacity,
 * K, D] each.
 *
 * <p>{@code memory_rows} [m] are the slots of the texts that {@code n} rows of tokens look at, n /
 * m rows following each other for each text; {@code memory_mask} [m, 1, 1, {@code memory_length}]
 * is 0 where the text has a token and minus infinity past its end. {@code memory_first} is the
 * first slot where the texts' slots follow each other, so that they are read in place, else -1.
 */
public final class CachedCrossAttention implements CrossAttention {
  @Override
  public String parameters() {
    return "mk: Tensor, mv: Tensor, memory_rows: Tensor, memory_mask: Tensor, memory_first: int,"
        + " memory_length: int";
  }

  @Override
  public String arguments() {
    return "mk[LAYER], mv[LAYER], memory_rows, memory_mask, memory_first, memory_length";
  }

  @Override
  public String emit(
      MethodWriter out,
      Attention.Heads heads,
      String query,
      Function<String, List<String>> keyValue) {
    out.line("m = torch.size(memory_rows, 0)");
    out.line("ks = torch.slice(mk, 1, 0, memory_length)");
    out.line("vs = torch.slice(mv, 1, 0, memory_length)");
    out.line("if memory_first >= 0:");
    out.line("  ks = torch.slice(ks, 0, memory_first, memory_first + m)");
    out.line("  vs = torch.slice(vs, 0, memory_first, memory_first + m)");
    out.line("else:");
    out.line("  ks = torch.index_select(ks, 0, memory_rows)");
    out.line("  vs = torch.index_select(vs, 0, memory_rows)");
    // Every token sees the whole text, so the tokens of all its rows are queries of one product.
    out.line("q = torch.view(%s, [m, -1, %d, %d])", query, heads.queries(), heads.size());
    out.line(
        "a = torch.scaled_dot_product_attention(torch.transpose(q, 1, 2), torch.transpose(ks, 1,"
            + " 2), torch.transpose(vs, 1, 2), memory_mask, 0.0, False, scale=%s)",
        MethodWriter.number(heads.scale()));
    out.line(
        "a = torch.reshape(torch.transpose(a, 1, 2), [-1, %d])", heads.queries() * heads.size());
    return "a";
  }
}
