package io.attune.engine.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.List;
import org.junit.jupiter.api.Test;

class TorchTest {
  private static final Program DOUBLE =
      TorchPrograms.compile(
          """
          def twice(self: SELF, x: Tensor) -> Tensor:
            return torch.mul(x, 2)
          """);

  @Test
  void whatIsComputedApartIsInTheCallersGradMode() {
    try (NDManager scope = Torch.scope("test")) {
      for (boolean recorded : new boolean[] {true, false}) {
        NDArray leaf = scope.ones(new Shape(3));
        Torch.requireGradient(leaf, true);
        try (Torch.GradMode mode = Torch.gradMode(recorded)) {
          NDArray twice =
              Torch.apart(() -> DOUBLE.run(scope, "twice", new NDList(leaf), List.of()).get(0));
          assertThat(twice.toFloatArray()).containsExactly(2, 2, 2);
          NDArray one = scope.ones(new Shape(3));
          if (recorded) {
            Torch.backward(twice, one);
            assertThat(Torch.gradient(leaf, scope).toFloatArray()).containsExactly(2, 2, 2);
          } else {
            assertThatThrownBy(() -> Torch.backward(twice, one)).hasMessageContaining("grad");
          }
        }
      }
    }
  }

  @Test
  void whatIsThrownApartReachesTheCaller() {
    IllegalStateException thrown = new IllegalStateException("no");
    assertThatThrownBy(
            () ->
                Torch.apart(
                    () -> {
                      throw thrown;
                    }))
        .isSameAs(thrown);
    AssertionError error = new AssertionError("never");
    assertThatThrownBy(
            () ->
                Torch.apart(
                    () -> {
                      throw error;
                    }))
        .isSameAs(error);
  }

  @Test
  void anInterruptWaitsForTheResultAndIsKept() {
    Thread.currentThread().interrupt();
    assertThat(Torch.apart(() -> 3)).isEqualTo(3);
    assertThat(Thread.interrupted()).isTrue();
  }

  @Test
  void operatorsThatThisLibtorchLacksAreKnown() {
    assertThat(
            TorchPrograms.compiles(
                "def f(self: SELF, x: Tensor) -> Tensor:\n  return ops.nowhere.nothing(x)"))
        .isFalse();
    assertThat(
            TorchPrograms.compiles("def f(self: SELF, x: Tensor) -> Tensor:\n  return torch.t(x)"))
        .isTrue();
  }
}
