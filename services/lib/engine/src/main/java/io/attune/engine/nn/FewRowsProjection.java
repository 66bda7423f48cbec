package io.attune.engine.nn;

import java.util.ArrayList;
import java.util.List;

/**
 * Plain weights, for inputs of few rows: what a step of generation has.
 *
 * <p>There, reading the weights is what takes the time, and how the product is asked for decides
 * whether all threads read. A matrix times one vector is the work of a single thread in MKL, so for
 * one row the outputs are split into a batch of products, which is spread over the threads. Few
 * rows go in as columns, in which shape MKL reads the weights once for every four of them and does
 * not first copy the weights into another layout. More rows are an ordinary product.
 */
public final class FewRowsProjection implements Projection {
  /** Columns that MKL takes together. */
  private static final int COLUMNS = 4;

  /** Outputs that are widened together. */
  private static final int PIECE = 8192;

  private final int threads;
  private final boolean narrow;

  /**
   * @param threads that the products will be given
   * @param narrow whether weights and inputs are bfloat16
   */
  public FewRowsProjection(int threads, boolean narrow) {
    this.threads = threads;
    this.narrow = narrow;
  }

  @Override
  public List<String> emit(MethodWriter out, String input, List<Linear> layers) {
    List<String> results = new ArrayList<>();
    for (Linear layer : layers) {
      String weight = out.weight(layer.weight());
      String bias = layer.bias() ? out.weight(layer.biasName()) : "None";
      results.add(
          layer.transposed()
              ? transposed(out, input, weight, bias, layer)
              : product(out, input, weight, bias, layer.inputs(), layer.outputs()));
    }
    return results;
  }

  @Override
  public String embedding(MethodWriter out, String ids, Embedding table) {
    return new DenseProjection().embedding(out, ids, table);
  }

  /**
   * Emits {@code x} times a weight [outputs, inputs], plus {@code bias} unless that is "None".
   *
   * @return a variable that holds [N, outputs]
   */
  public String product(
      MethodWriter out, String x, String weight, String bias, int inputs, int outputs) {
    String result = out.value(x);
    if (narrow) {
      narrowProduct(out, result, x, weight, outputs);
      return plus(out, result, bias);
    }
    int parts = parts(outputs);
    if (parts > 1) {
      out.line("if %s.size(0) == 1:", x);
      out.line("  column = torch.expand(torch.unsqueeze(torch.t(%s), 0), [%d, -1, -1])", x, parts);
      out.line("  split = torch.view(%s, [%d, -1, %d])", weight, parts, inputs);
      out.line("  %s = torch.view(torch.bmm(split, column), [1, %d])", result, outputs);
    } else {
      out.line("if %s.size(0) == 1:", x);
      out.line("  %s = torch.linear(%s, %s)", result, x, weight);
    }
    out.line("elif %s.size(0) <= %d:", x, COLUMNS * threads);
    out.line("  %s = torch.contiguous(torch.t(torch.mm(%s, torch.t(%s))))", result, weight, x);
    out.line("else:");
    out.line("  %s = torch.linear(%s, %s)", result, x, weight);
    return plus(out, result, bias);
  }

  /**
   * For one row libtorch has a kernel of its own that all threads share. For more, processors
   * without bfloat16 arithmetic take far longer than in float32, so that widening the weights on
   * the way, a piece at a time, costs little and loses nothing.
   */
  private static void narrowProduct(
      MethodWriter out, String result, String x, String weight, int outputs) {
    out.line("if %s.size(0) == 1:", x);
    out.line("  %s = torch.linear(%s, %s)", result, x, weight);
    out.line("else:");
    out.line("  wide = torch.to(%s, 6)", x);
    out.line("  pieces = annotate(List[Tensor], [])");
    out.line("  for i in range(%d):", (outputs + PIECE - 1) / PIECE);
    out.line("    piece = torch.slice(%s, 0, i * %d, (i + 1) * %d)", weight, PIECE, PIECE);
    out.line("    part = torch.to(torch.linear(wide, torch.to(piece, 6)), 15)");
    out.line("    added = torch.append(pieces, part)");
    out.line("  %s = torch.cat(pieces, 1)", result);
  }

  private String transposed(MethodWriter out, String x, String weight, String bias, Linear layer) {
    String result = out.value(x);
    if (narrow) {
      out.line("wide = torch.to(%s, 6)", x);
      out.line("%s = torch.to(torch.mm(wide, torch.to(%s, 6)), 15)", result, weight);
      return plus(out, result, bias);
    }
    int parts = parts(layer.outputs());
    out.line("if %s.size(0) == 1:", x);
    out.line("  row = torch.expand(torch.unsqueeze(%s, 0), [%d, -1, -1])", x, parts);
    out.line("  split = torch.view(%s, [%d, %d, -1])", weight, layer.inputs(), parts);
    out.line("  split = torch.permute(split, [1, 0, 2])");
    out.line("  %s = torch.view(torch.bmm(row, split), [1, %d])", result, layer.outputs());
    out.line("else:");
    out.line("  %s = torch.mm(%s, %s)", result, x, weight);
    return plus(out, result, bias);
  }

  private static String plus(MethodWriter out, String product, String bias) {
    return bias.equals("None") ? product : out.value("torch.add(%s, %s)", product, bias);
  }

  /** Two for each thread, so that they end together; 1 where that does not divide the outputs. */
  private int parts(int outputs) {
    return threads > 1 && outputs % (2 * threads) == 0 ? 2 * threads : 1;
  }
}
