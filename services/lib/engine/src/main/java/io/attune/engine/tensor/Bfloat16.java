package io.attune.engine.tensor;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;

/** The upper half of a float32: its range, with 8 bits of precision. */
public final class Bfloat16 {
  private static final Program PROGRAM =
      TorchPrograms.compile(
          """
          def narrow(self: SELF, x: Tensor) -> Tensor:
            return torch.to(x, 15)
          """);

  private Bfloat16() {}

  /** Rounds an array, to the nearest even. */
  public static NDArray of(NDArray wide, NDManager manager) {
    return PROGRAM.infer(manager, "narrow", wide).get(0);
  }
}
