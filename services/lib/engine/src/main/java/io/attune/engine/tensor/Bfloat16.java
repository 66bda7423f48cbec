package io.attune.engine.tensor;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import java.util.List;

/** The upper half of a float32: its range, with 8 bits of precision. */
public final class Bfloat16 {
  private static final Program PROGRAM =
      TorchPrograms.compile(
          """
          def narrow(self: SELF, x: Tensor) -> Tensor:
            return torch.to(x, 15)

          def widen(self: SELF, x: Tensor) -> Tensor:
            return torch.to(x, 6, False, True)

          def type(self: SELF, x: Tensor) -> Tensor:
            return torch.full([], ops.prim.dtype(x), dtype=6)
          """);

  /** What libtorch numbers the type. */
  private static final int TYPE = 15;

  private Bfloat16() {}

  /** Rounds an array, to the nearest even; the result may take part in recorded operations. */
  public static NDArray of(NDArray wide, NDManager manager) {
    try (Torch.GradMode mode = Torch.gradMode(false)) {
      return PROGRAM.run(manager, "narrow", new NDList(wide), List.of()).get(0);
    }
  }

  /** A float32 copy, which may take part in recorded operations. */
  public static NDArray widened(NDArray array, NDManager manager) {
    try (Torch.GradMode mode = Torch.gradMode(false)) {
      return PROGRAM.run(manager, "widen", new NDList(array), List.of()).get(0);
    }
  }

  /** Whether an array is of this type: an array itself cannot be asked. */
  public static boolean is(NDArray array) {
    try (NDManager work = Torch.scope("type");
        Torch.GradMode mode = Torch.gradMode(false)) {
      return PROGRAM.run(work, "type", new NDList(array), List.of()).get(0).getFloat() == TYPE;
    }
  }
}
