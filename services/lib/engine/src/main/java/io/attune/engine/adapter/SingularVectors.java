package io.attune.engine.adapter;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.attune.engine.tensor.Program;
import io.attune.engine.tensor.Torch;
import io.attune.engine.tensor.TorchPrograms;
import java.util.List;

/** The best approximation of a matrix by a product of rank R, split evenly between both factors. */
final class SingularVectors {
  private static final Program PROGRAM =
      TorchPrograms.compile(
          """
          def split(self: SELF, u: Tensor, s: Tensor, vh: Tensor, rank: int, scale: float) -> Tuple[Tensor, Tensor]:
            root = torch.sqrt(torch.div(torch.slice(s, 0, 0, rank), scale))
            a = torch.mul(torch.slice(vh, 0, 0, rank), torch.unsqueeze(root, 1))
            return (a, torch.mul(torch.slice(u, 1, 0, rank), root))

          def exact(self: SELF, x: Tensor, rank: Tensor, scale: Tensor) -> Tuple[Tensor, Tensor]:
            u, s, vh = torch.linalg_svd(x, False)
            return self.split(u, s, vh, int(rank), float(scale))

          def basis(self: SELF, x: Tensor) -> Tensor:
            q, r = torch.linalg_qr(x)
            return q

          def randomised(self: SELF, x: Tensor, drawn: Tensor, iterations: Tensor, scale: Tensor) -> Tuple[Tensor, Tensor]:
            wide = torch.size(x, 0) < torch.size(x, 1)
            tall = x
            if wide:
              tall = torch.t(x)
            q = self.basis(torch.mm(tall, drawn))
            for i in range(int(iterations)):
              q = self.basis(torch.mm(torch.t(tall), q))
              q = self.basis(torch.mm(tall, q))
            u, s, vh = torch.linalg_svd(torch.mm(torch.t(q), tall), False)
            left = torch.mm(q, u)
            right = vh
            if wide:
              right = torch.t(left)
              left = torch.t(vh)
            return self.split(left, s, right, torch.size(drawn, 1), float(scale))
          """);

  /**
   * Factors of an approximation.
   *
   * @param a [R, inputs]
   * @param b [outputs, R]
   */
  record Factors(NDArray a, NDArray b) {}

  private SingularVectors() {}

  /**
   * By the full decomposition.
   *
   * @param x [outputs, inputs]
   * @param scale what {@code B A} will be multiplied with: the factors leave it out
   */
  static Factors exact(NDArray x, int rank, double scale, NDManager scope) {
    return run("exact", new NDList(x, scope.create((long) rank)), scale, scope);
  }

  /**
   * By subspace iteration (Halko et al., arXiv 0909.4061, algorithms 4.4 and 5.1), as {@code
   * torch.svd_lowrank}.
   *
   * @param drawn normal values, [min(outputs, inputs), R]
   */
  static Factors randomised(
      NDArray x, NDArray drawn, int iterations, double scale, NDManager scope) {
    NDList inputs = new NDList(x, drawn, scope.create((long) iterations));
    return run("randomised", inputs, scale, scope);
  }

  private static Factors run(String method, NDList inputs, double scale, NDManager scope) {
    try (Torch.GradMode mode = Torch.gradMode(false)) {
      inputs.add(scope.create(scale));
      NDList result = PROGRAM.run(scope, method, inputs, List.of());
      return new Factors(result.get(0), result.get(1));
    }
  }
}
