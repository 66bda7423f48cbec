package io.attune.engine.nn;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.attune.engine.tensor.Program;
import io.attune.engine.tensor.TensorList;
import io.attune.engine.tensor.TorchPrograms;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Float32 weights in the layout that oneDNN multiplies few rows with, and one product for all
 * layers that read the same input.
 *
 * <p>For a copy of the weights, each step of generation has shorter products, and fewer of them at
 * which the threads wait for each other: what many steps repay. An array in that layout can be
 * nothing but a factor of such a product.
 */
public final class PackedProjection implements Projection {
  private static final String PRODUCT =
      "ops.mkldnn._linear_pointwise(%s, %s, None, \"none\","
          + " annotate(List[Optional[number]], []), None)";

  private static final String METHODS =
      """
      def pack(self: SELF, w: List[Tensor]) -> Tensor:
        return ops.mkldnn._reorder_linear_weight(torch.contiguous(torch.cat(w)), 8)
      def product(self: SELF, x: Tensor, w: Tensor) -> Tensor:
        return %s
      """
          .formatted(PRODUCT.formatted("x", "w"));

  /** Whether libtorch was built with oneDNN, without which nothing can be packed. */
  public static final boolean PRESENT = TorchPrograms.compiles(METHODS);

  private final Map<String, List<Linear>> groups = new LinkedHashMap<>();

  @Override
  public List<String> emit(MethodWriter out, String input, List<Linear> layers) {
    String all = out.value(PRODUCT, input, out.weight(group(layers)));
    List<String> results = new ArrayList<>();
    int start = 0;
    for (Linear layer : layers) {
      int end = start + layer.outputs();
      String own =
          layers.size() == 1 ? all : out.value("torch.slice(%s, 1, %d, %d)", all, start, end);
      results.add(
          layer.bias() ? out.value("torch.add(%s, %s)", own, out.weight(layer.biasName())) : own);
      start = end;
    }
    return results;
  }

  @Override
  public String embedding(MethodWriter out, String ids, Embedding table) {
    return new DenseProjection().embedding(out, ids, table);
  }

  /**
   * Emits the product of {@code x} [N, inputs] with a weight, without a bias.
   *
   * @param weight expression for what {@link #pack} gives for {@link #group}
   * @return a variable that holds [N, outputs]
   */
  public String product(MethodWriter out, String x, String weight) {
    return out.value(PRODUCT, x, weight);
  }

  /** The name by which a program asks for the weights of some layers, packed together. */
  public String group(List<Linear> layers) {
    String name =
        layers.stream().map(Linear::weight).collect(Collectors.joining(" ", "packed ", ""));
    groups.put(name, List.copyOf(layers));
    return name;
  }

  /**
   * What a program's name stands for: a group, packed into {@code scope}, or a weight as it is.
   *
   * @param weights from names to arrays, float32
   * @param done told the names of a group's weights when it has been packed
   */
  public NDArray pack(
      NDManager scope, String name, Function<String, NDArray> weights, Consumer<String> done) {
    List<Linear> layers = groups.get(name);
    if (layers == null) {
      return weights.apply(name);
    }
    Program program = TorchPrograms.compile(METHODS);
    try (NDManager parts = scope.newSubManager()) {
      List<NDArray> together = new ArrayList<>();
      for (Linear layer : layers) {
        NDArray weight = weights.apply(layer.weight());
        if (layer.transposed()) {
          weight = weight.transpose();
          weight.attach(parts);
        }
        together.add(weight);
      }
      try (TensorList list = new TensorList(together)) {
        NDArray packed = program.infer(scope, "pack", list).get(0);
        layers.forEach(layer -> done.accept(layer.weight()));
        return packed;
      }
    }
  }
}
