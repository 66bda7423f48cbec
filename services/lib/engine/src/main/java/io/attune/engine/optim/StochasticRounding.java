package io.attune.engine.optim;

/**
 * How a bfloat16 parameter takes a float32 value: up or down by chance, so that on average it is
 * the value itself and updates below half a step are not lost (Gupta et al., arXiv 1502.02551).
 *
 * <p>Draws from libtorch's default generator.
 */
final class StochasticRounding {
  private StochasticRounding() {}

  /**
   * Method {@code store} of a program: writes {@code x}, float32, into {@code target}. Where the
   * target is float32, {@code x} must be the target itself.
   *
   * <p>A bfloat16 is the upper half of a float32: adding a random lower half and dropping it
   * carries as often as the dropped half says.
   */
  static final String STORE =
      """
      def store(self: SELF, target: Tensor, x: Tensor) -> Tensor:
        if torch.eq(ops.prim.dtype(target), 15):
          bits = torch.view_copy(x, dtype=3)
          chance = torch.randint(65536, torch.size(x), dtype=3)
          upper = torch.bitwise_and_(torch.add_(bits, chance), -65536)
          stored = torch.copy_(target, torch.view_copy(upper, dtype=6))
        return target

      """;
}
