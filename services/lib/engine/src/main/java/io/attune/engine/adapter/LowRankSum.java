package io.attune.engine.adapter;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.attune.engine.tensor.Program;
import io.attune.engine.tensor.Torch;
import io.attune.engine.tensor.TorchPrograms;
import java.util.List;
import java.util.function.Function;

/** W + s B A, in the shape in which the checkpoint holds W. */
final class LowRankSum {
  private static final Program PROGRAM =
      TorchPrograms.compile(
          """
          def plain(self: SELF, scale: Tensor, w: List[Tensor]) -> Tensor:
            return torch.addmm(w[0], w[2], w[1], alpha=float(scale))

          def transposed(self: SELF, scale: Tensor, w: List[Tensor]) -> Tensor:
            return torch.addmm(w[0], torch.t(w[1]), torch.t(w[2]), alpha=float(scale))
          """);

  private LowRankSum() {}

  /**
   * @param weights holds the module's A and B
   * @return a new array in {@code into}
   */
  static NDArray add(
      Lora.LowRank module, Adapter weights, NDArray base, double scale, NDManager into) {
    return add(module, weights::weight, base, scale, into);
  }

  /**
   * @param weights from the names of the module's A and B
   */
  static NDArray add(
      Lora.LowRank module,
      Function<String, NDArray> weights,
      NDArray base,
      double scale,
      NDManager into) {
    try (NDManager work = into.newSubManager();
        Torch.GradMode mode = Torch.gradMode(false)) {
      List<NDArray> parts = List.of(base, weights.apply(module.a()), weights.apply(module.b()));
      String method = module.linear().transposed() ? "transposed" : "plain";
      return PROGRAM.run(into, method, new NDList(work.create(scale)), parts).get(0);
    }
  }
}
