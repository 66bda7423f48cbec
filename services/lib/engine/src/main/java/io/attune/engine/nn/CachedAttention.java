package io.attune.engine.nn;

import java.util.ArrayList;
import java.util.List;

/**
 * Attention over a cache of keys and values, [slots, capacity, K, D] each, written in place.
 *
 * <p>{@code place} [N] says where each token's key and value go, counted through all slots; {@code
 * rows} [n] are the slots read, of which the first {@code length} places are read. {@code first} is
 * the first slot where the rows follow each other, so that the cache is read in place, else -1.
 *
 * <p>Each of the {@code n} rows has up to {@code t} new tokens. Where all have as many, {@code
 * unpad} is empty and N = n * t; else {@code pad} [n * t] lays the tokens out in rows (places past
 * a row's end repeat its last token) and {@code unpad} [N] takes them back. {@code at} [n, t] holds
 * the positions so laid out, and {@code masks} for each kind of layer (each width of window) a mask
 * [n, 1, G * t, length] that is 0 where a token may look and minus infinity elsewhere.
 */
public final class CachedAttention implements Attention {
  private final List<Integer> windows = new ArrayList<>();

  @Override
  public String parameters() {
    return "ids: Tensor, kc: Tensor, vc: Tensor, place: Tensor, rows: Tensor, at: Tensor,"
        + " pad: Tensor, unpad: Tensor, masks: List[Tensor], first: int, n: int, t: int,"
        + " length: int";
  }

  @Override
  public String arguments() {
    return "ids, kc[LAYER], vc[LAYER], place, rows, at, pad, unpad, masks, first, n, t, length";
  }

  @Override
  public String emit(MethodWriter out, Form form, String query, String key, String value) {
    Heads heads = form.heads();
    int d = heads.size();
    int k = heads.keyValues();
    int g = heads.groups();
    out.line("kw = torch.index_copy_(torch.view(kc, [-1, %d, %d]), 0, place, %s)", k, d, key);
    out.line("vw = torch.index_copy_(torch.view(vc, [-1, %d, %d]), 0, place, %s)", k, d, value);
    out.line("if first >= 0:");
    out.line("  kr = torch.slice(torch.slice(kc, 0, first, first + n), 1, 0, length)");
    out.line("  vr = torch.slice(torch.slice(vc, 0, first, first + n), 1, 0, length)");
    out.line("else:");
    out.line("  kr = torch.index_select(torch.slice(kc, 1, 0, length), 0, rows)");
    out.line("  vr = torch.index_select(torch.slice(vc, 1, 0, length), 0, rows)");
    out.line("uneven = torch.size(unpad, 0) > 0");
    out.line("q = %s", query);
    out.line("if uneven:");
    out.line("  q = torch.index_select(q, 0, pad)");
    // Queries that share a key head become rows of one product, so keys are never repeated.
    out.line("q = torch.permute(torch.view(q, [n, t, %d, %d, %d]), [0, 2, 3, 1, 4])", k, g, d);
    out.line("q = torch.reshape(q, [n, %d, %d * t, %d])", k, g, d);
    out.line("k = torch.transpose(kr, 1, 2)");
    out.line("v = torch.transpose(vr, 1, 2)");
    out.line("mask = masks[%d]", kind(form.window()));
    if (form.biased()) {
      out.line("mask = torch.add(mask, bias)");
    }
    PaddedAttention.emitAttention(out, form, 0);
    out.line("a = torch.permute(torch.view(a, [n, %d, %d, t, %d]), [0, 3, 1, 2, 4])", k, g, d);
    out.line("a = torch.reshape(a, [n * t, %d])", heads.queries() * d);
    out.line("if uneven:");
    out.line("  a = torch.index_select(a, 0, unpad)");
    return "a";
  }

  private int kind(int window) {
    if (!windows.contains(window)) {
      windows.add(window);
    }
    return windows.indexOf(window);
  }

  /**
   * Emits {@code at} and {@code masks} from {@code position} [N], once every layer has been
   * emitted.
   *
   * @param groups query heads to a key head, in all layers
   * @param cache variable holding an array of the type in which the layers compute
   */
  public void emitLayout(MethodWriter out, int groups, String cache) {
    out.line("at = position");
    out.line("if torch.size(unpad, 0) > 0:");
    out.line("  at = torch.index_select(position, 0, pad)");
    out.line("at = torch.view(at, [n, t])");
    out.line("ago = torch.view(at, [n, 1, 1, t, 1]) - torch.arange(length)");
    out.line("masks = annotate(List[Tensor], [])");
    for (int window : windows) {
      out.line("hidden = torch.lt(ago, 0)");
      if (window > 0) {
        out.line("hidden = torch.logical_or(hidden, torch.ge(ago, %d))", window);
      }
      out.line("mask = torch.zeros([n, 1, 1, t, length])");
      out.line("mask = torch.masked_fill(mask, hidden, float(\"-inf\"))");
      out.line("mask = torch.expand(mask, [n, 1, %d, t, length])", groups);
      out.line("mask = torch.reshape(mask, [n, 1, %d * t, length])", groups);
      out.line("added = torch.append(masks, torch.type_as(mask, %s))", cache);
    }
  }

  @Override
  public String emitDistances(MethodWriter out) {
    return out.value("torch.arange(length) - torch.unsqueeze(at, 2)");
  }

  @Override
  public String emitLengths(MethodWriter out) {
    String lengths = out.value("torch.amax(at, [1]) + 1");
    out.line("if torch.size(unpad, 0) > 0:");
    out.line("  %s = torch.index_select(%s, 0, torch.floor_divide(unpad, t))", lengths, lengths);
    return lengths;
  }
}
