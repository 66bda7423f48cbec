package io.attune.engine.nn;

import java.util.ArrayList;
import java.util.List;

/**
 * Attention over a cache of keys and values, [slots, capacity, K, D] each, written in place.
 *
 * <p>{@code slot} and {@code position} [N] say where each token's key and value go; {@code rows}
 * [n] are the slots read, {@code n} of them with {@code t} new tokens each (N = n * t), of which
 * the first {@code length} places are read; {@code masks} holds for each kind of layer (each width
 * of window) a mask [n, 1, G * t, length] that is 0 where a token may look and minus infinity
 * elsewhere. {@code first} is the first slot where the rows follow each other, so that the cache is
 * read in place, else -1.
 */
public final class CachedAttention implements Attention {
  private final List<Integer> windows = new ArrayList<>();

  @Override
  public String parameters() {
    return "ids: Tensor, kc: Tensor, vc: Tensor, slot: Tensor, position: Tensor, rows: Tensor,"
        + " masks: List[Tensor], first: int, n: int, t: int, length: int";
  }

  @Override
  public String arguments() {
    return "ids, kc[LAYER], vc[LAYER], slot, position, rows, masks, first, n, t, length";
  }

  @Override
  public String emit(MethodWriter out, Form form, String query, String key, String value) {
    Heads heads = form.heads();
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
    out.line("k = torch.transpose(kr, 1, 2)");
    out.line("v = torch.transpose(vr, 1, 2)");
    out.line("mask = masks[%d]", kind(form.window()));
    if (form.biased()) {
      out.line("mask = torch.add(mask, bias)");
    }
    PaddedAttention.emitAttention(out, form);
    out.line("a = torch.permute(torch.view(a, [n, %d, %d, t, %d]), [0, 3, 1, 2, 4])", k, g, d);
    out.line("a = torch.reshape(a, [n * t, %d])", heads.queries() * d);
    return "a";
  }

  private int kind(int window) {
    if (!windows.contains(window)) {
      windows.add(window);
    }
    return windows.indexOf(window);
  }

  /**
   * Emits {@code masks}, once every layer has been emitted.
   *
   * @param groups query heads to a key head, in all layers
   */
  public void emitMasks(MethodWriter out, int groups) {
    out.line("ago = torch.view(position, [n, 1, 1, t, 1]) - torch.arange(length)");
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
      out.line("added = torch.append(masks, mask)");
    }
  }

  @Override
  public String emitDistances(MethodWriter out) {
    return out.value("torch.arange(length) - torch.view(position, [n, t, 1])");
  }

  @Override
  public String emitLengths(MethodWriter out) {
    return out.value("torch.amax(torch.view(position, [n, t]), [1]) + 1");
  }
}
