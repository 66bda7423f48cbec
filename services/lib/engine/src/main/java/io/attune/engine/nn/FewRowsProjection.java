package io.attune.engine.nn;

import io.attune.engine.tensor.TorchPrograms;
import java.util.ArrayList;
import java.util.List;

/**
 * Plain weights, for inputs of few rows: what a step of generation has.
 *
 * <p>There, reading the weights is what takes the time, and how the product is asked for decides
 * whether all threads read, and how often. A matrix times one vector is the work of a single thread
 * in MKL, so for one row the outputs are split into a batch of products, which is spread over the
 * threads. Up to four rows go in as columns, in which shape MKL reads the weights once for all of
 * them and does not first copy the weights into another layout. More rows are left to oneDNN, where
 * libtorch has it, which does not copy them either.
 *
 * <p>In bfloat16 libtorch has a kernel for one row that all threads share. For more, processors
 * without bfloat16 arithmetic take far longer than in float32, so that widening the weights on the
 * way, a piece at a time, costs little and loses nothing.
 */
public final class FewRowsProjection implements Projection {
  /** Columns that MKL takes together. */
  private static final int COLUMNS = 4;

  /** Weights of one product: no more than a processor's cache holds, also when widened. */
  private static final int PIECE = 1 << 20;

  private final int threads;
  private final boolean narrow;

  /** Whether libtorch was built with oneDNN, and so has its product. */
  private static final class OneDnn {
    private static final String PRODUCT =
        "ops.mkldnn._linear_pointwise(%s, %s, None, \"none\","
            + " annotate(List[Optional[number]], []), None)";

    static final boolean PRESENT =
        TorchPrograms.compiles(
            "def product(self: SELF, x: Tensor, w: Tensor) -> Tensor:\n  return "
                + PRODUCT.formatted("x", "w"));
  }

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
    List<String> weights = layers.stream().map(layer -> out.weight(layer.weight())).toList();
    List<String> results = products(out, input, weights, layers);
    List<String> sums = new ArrayList<>();
    for (int i = 0; i < layers.size(); i++) {
      Linear layer = layers.get(i);
      sums.add(
          layer.bias()
              ? out.value("torch.add(%s, %s)", results.get(i), out.weight(layer.biasName()))
              : results.get(i));
    }
    return sums;
  }

  @Override
  public String embedding(MethodWriter out, String ids, Embedding table) {
    return new DenseProjection().embedding(out, ids, table);
  }

  /**
   * Emits the product of {@code x} [N, inputs] with a layer's weight, without its bias.
   *
   * @param weight expression for it
   * @return a variable that holds [N, outputs]
   */
  public String product(MethodWriter out, String x, String weight, Linear layer) {
    return products(out, x, List.of(weight), List.of(layer)).get(0);
  }

  private List<String> products(
      MethodWriter out, String x, List<String> weights, List<Linear> layers) {
    List<String> results = new ArrayList<>();
    for (int i = 0; i < layers.size(); i++) {
      results.add(out.value(x));
    }
    out.line("if %s.size(0) == 1:", x);
    if (!narrow) {
      out.line("  row = torch.unsqueeze(%s, 0)", x);
      out.line("  column = torch.transpose(row, 1, 2)");
    }
    for (int i = 0; i < layers.size(); i++) {
      out.line("  %s = %s", results.get(i), oneRow(x, weights.get(i), layers.get(i)));
    }
    if (!narrow) {
      out.line("elif %s.size(0) <= %d:", x, COLUMNS);
      out.line("  columns = torch.t(%s)", x);
      for (int i = 0; i < layers.size(); i++) {
        out.line("  %s = %s", results.get(i), fewRows(x, weights.get(i), layers.get(i)));
      }
    }
    out.line("else:");
    out.line("  wide = %s", narrow ? "torch.to(" + x + ", 6)" : x);
    for (int i = 0; i < layers.size(); i++) {
      rows(out, results.get(i), weights.get(i), layers.get(i));
    }
    return results;
  }

  private String oneRow(String x, String weight, Linear layer) {
    if (narrow) {
      return layer.transposed()
          ? "torch.mm(%s, %s)".formatted(x, weight)
          : "torch.linear(%s, %s)".formatted(x, weight);
    }
    int inputs = layer.inputs();
    int outputs = layer.outputs();
    int parts = parts(outputs);
    if (layer.transposed()) {
      return ("torch.view(torch.bmm(torch.expand(row, [%d, -1, -1]), torch.permute("
              + "torch.view(%s, [%d, %d, -1]), [1, 0, 2])), [1, %d])")
          .formatted(parts, weight, inputs, parts, outputs);
    }
    return ("torch.view(torch.bmm(torch.view(%s, [%d, -1, %d]), torch.expand(column, [%d, -1, -1])),"
            + " [1, %d])")
        .formatted(weight, parts, inputs, parts, outputs);
  }

  private static String fewRows(String x, String weight, Linear layer) {
    return layer.transposed()
        ? "torch.mm(%s, %s)".formatted(x, weight)
        : "torch.contiguous(torch.t(torch.mm(%s, columns)))".formatted(weight);
  }

  private void rows(MethodWriter out, String result, String weight, Linear layer) {
    String cast = narrow ? "torch.to(%s, 6)" : "%s";
    int rows = Math.max(1, PIECE / layer.inputs());
    if (layer.transposed()) {
      out.line("  %s = torch.mm(wide, %s)", result, cast.formatted(weight));
    } else if (layer.outputs() <= rows) {
      out.line("  %s = %s", result, product("wide", cast.formatted(weight)));
    } else {
      int pieces = (layer.outputs() + rows - 1) / rows;
      String piece = "torch.slice(%s, 0, i * %d, (i + 1) * %d)".formatted(weight, rows, rows);
      out.line("  pieces = annotate(List[Tensor], [])");
      out.line("  for i in range(%d):", pieces);
      out.line("    part = %s", product("wide", cast.formatted(piece)));
      out.line("    added = torch.append(pieces, part)");
      out.line("  %s = torch.cat(pieces, 1)", result);
    }
    if (narrow) {
      out.line("  %s = torch.to(%s, 15)", result, result);
    }
  }

  /** In float32. */
  private static String product(String x, String weight) {
    return (OneDnn.PRESENT ? OneDnn.PRODUCT : "torch.linear(%s, %s)").formatted(x, weight);
  }

  /** Two for each thread, so that they end together; 1 where that does not divide the outputs. */
  private int parts(int outputs) {
    return threads > 1 && outputs % (2 * threads) == 0 ? 2 * threads : 1;
  }
}
