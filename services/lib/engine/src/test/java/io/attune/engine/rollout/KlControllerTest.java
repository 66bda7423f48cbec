package io.attune.engine.rollout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class KlControllerTest {
  @Test
  void fixedStays() {
    KlController fixed = KlController.Fixed.DEFAULT;
    assertThat(fixed.after(1e9, 64).coefficient()).isEqualTo(0.05);
  }

  @Test
  void adaptiveFollowsTheErrorUpToAFifth() {
    KlController start = new KlController.Adaptive(0.2, 6, 100);
    assertThat(start.after(6, 10).coefficient()).isEqualTo(0.2);
    assertThat(start.after(6.6, 10).coefficient()).isCloseTo(0.2 * 1.01, within(1e-15));
    assertThat(start.after(60, 10).coefficient()).isCloseTo(0.2 * 1.02, within(1e-15));
    assertThat(start.after(-3, 10).coefficient()).isCloseTo(0.2 * 0.98, within(1e-15));
    assertThat(start.after(60, 10).after(60, 10).coefficient())
        .isCloseTo(0.2 * 1.02 * 1.02, within(1e-15));
  }

  /** A simulated policy whose divergence is inverse to its cost is brought to the target. */
  @Test
  void adaptiveHoldsTheTarget() {
    KlController controller = KlController.Adaptive.DEFAULT;
    for (int batch = 0; batch < 2000; batch++) {
      controller = controller.after(3 / controller.coefficient(), 256);
    }
    assertThat(3 / controller.coefficient()).isCloseTo(6, within(1e-3));
  }

  @Test
  void whatDoesNotFitIsRefused() {
    refused(() -> new KlController.Fixed(-1), "'kl_coef' is -1.0");
    refused(() -> new KlController.Adaptive(0, 6, 100), "'init_kl_coef' is 0.0");
    refused(() -> new KlController.Adaptive(0.2, Double.NaN, 100), "'target_kl' is NaN");
    refused(() -> new KlController.Adaptive(0.2, 6, 0), "'horizon' is 0.0");
    KlController small = new KlController.Adaptive(0.2, 6, 10);
    refused(() -> small.after(0, 50), "'horizon' is 10.0 for 50 episodes");
    refused(() -> small.after(Double.NaN, 1), "divergence is NaN");
  }

  private static void refused(Runnable made, String message) {
    assertThatThrownBy(made::run)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message);
  }
}
