package io.attune.engine.nn;

import java.util.List;
import java.util.function.Function;

/**
 * Cross-attention over an encoder's result for a whole batch, as in training.
 *
 * <p>{@code memory} [M, E] holds the encoder's tokens laid end to end; {@code memory_pad} and
 * {@code memory_unpad} are their layout, as {@link PaddedAttention} has it for the decoder's own
 * tokens.
 */
public final class PaddedCrossAttention implements CrossAttention {
  private final double dropout;

  public PaddedCrossAttention() {
    this(0);
  }

  /**
   * @param dropout probability with which the weight of a pair of tokens is dropped
   */
  public PaddedCrossAttention(double dropout) {
    this.dropout = dropout;
  }

  @Override
  public String parameters() {
    return "memory: Tensor, memory_pad: Tensor, memory_unpad: Tensor";
  }

  @Override
  public String arguments() {
    return "memory, memory_pad, memory_unpad";
  }

  @Override
  public String emit(
      MethodWriter out,
      Attention.Heads heads,
      String query,
      Function<String, List<String>> keyValue) {
    List<String> keyAndValue = keyValue.apply("memory");
    int d = heads.size();
    out.line("b = torch.size(pad, 0)");
    out.line("t = torch.size(pad, 1)");
    out.line("padded = torch.size(unpad, 0) > 0");
    out.line("memory_padded = torch.size(memory_unpad, 0) > 0");
    PaddedAttention.emitLayout(out, "q", query, heads.queries(), d, 1, "pad", "padded");
    String pad = "memory_pad";
    String padded = "memory_padded";
    PaddedAttention.emitLayout(out, "k", keyAndValue.get(0), heads.keyValues(), d, 1, pad, padded);
    PaddedAttention.emitLayout(out, "v", keyAndValue.get(1), heads.keyValues(), d, 1, pad, padded);
    String rest =
        "%s, False, scale=%s"
            .formatted(MethodWriter.number(dropout), MethodWriter.number(heads.scale()));
    out.line("if memory_padded:");
    out.line("  seen = torch.full([b * torch.size(memory_pad, 1)], float(\"-inf\"))");
    out.line("  seen = torch.index_fill(seen, 0, memory_unpad, 0)");
    out.line("  seen = torch.view(seen, [b, 1, 1, -1]).to(q.dtype)");
    out.line("  a = torch.scaled_dot_product_attention(q, k, v, seen, %s)", rest);
    out.line("else:");
    out.line("  a = torch.scaled_dot_product_attention(q, k, v, None, %s)", rest);
    out.line("a = torch.reshape(torch.transpose(a, 1, 2), [b * t, %d])", heads.queries() * d);
    out.line("if padded:");
    out.line("  a = torch.index_select(a, 0, unpad)");
    return "a";
  }
}
