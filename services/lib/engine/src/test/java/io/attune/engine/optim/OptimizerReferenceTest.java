package io.attune.engine.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import io.attune.engine.Golden;
import io.attune.engine.checkpoint.SafeTensors;
import io.attune.engine.tensor.DynamicMap;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * 20 steps of each optimizer against torch 2.13, transformers 5.18, bitsandbytes 0.50.2 and
 * galore-torch 1.0 on CPU. {@code golden/optim/make_optim.py} makes the references.
 */
class OptimizerReferenceTest {
  private static final Path EXPECTED = Golden.path("optim/expected.safetensors");
  private static final Set<String> MATRICES =
      Set.of("tall.weight", "wide.weight", "small.weight", "slim.weight");
  private static final AdamW.Config ADAM = AdamW.Config.DEFAULT;

  @Test
  void adamWIsTorchs() {
    compare("adamw_torch", new AdamW(ADAM), OptimizerProblem.DECAY, 1e-6);
  }

  @Test
  void adamWIn8BitsIsBitsandbytes() {
    compare("adamw_8bit", new AdamW8bit(ADAM, Set.of()), OptimizerProblem.DECAY, 1e-4);
  }

  /**
   * Bit for bit on the machine that made the reference; the last bits of other processors may move
   * a value across the border to the next code.
   */
  @Test
  void codesAndScalesOfMomentsAreBitsandbytes() {
    try (OptimizerProblem problem = new OptimizerProblem();
        AdamW8bit optimizer = new AdamW8bit(ADAM, Set.of());
        SafeTensors file = SafeTensors.open(EXPECTED)) {
      problem.train(optimizer, OptimizerProblem.DECAY);
      Map<String, NDArray> state = optimizer.state();
      for (String part : List.of("state1", "state2")) {
        ByteBuffer expected = file.data("adamw_8bit/" + part + ".wide.weight");
        byte[] codes = new byte[expected.remaining()];
        expected.get(codes);
        byte[] actual = state.get(part + ".wide.weight").toByteArray();
        int moved = 0;
        for (int i = 0; i < codes.length; i++) {
          int distance = Math.abs(Byte.toUnsignedInt(actual[i]) - Byte.toUnsignedInt(codes[i]));
          assertThat(distance).as("%s of element %d", part, i).isLessThanOrEqualTo(1);
          moved += distance;
        }
        assertThat(moved).as(part).isLessThanOrEqualTo(codes.length / 500);
      }
      for (String part : List.of("absmax1", "absmax2")) {
        float[] expected = Golden.tensor(EXPECTED, "adamw_8bit/" + part + ".wide.weight");
        assertThat(state.get(part + ".wide.weight").toFloatArray())
            .as(part)
            .containsExactly(expected, within(1e-6f));
      }
    }
  }

  /** Bit for bit, as torch has it where the processor has fused multiply-add. */
  @Test
  void theDynamicMapIsBitsandbytes() {
    assertMap(DynamicMap.values(true), "map.signed");
    assertMap(DynamicMap.values(false), "map.unsigned");
  }

  private static void assertMap(float[] values, String name) {
    assertThat(values).as(name).hasSize(256).isSorted().isEqualTo(Golden.tensor(EXPECTED, name));
  }

  @Test
  void adafactorWithTheSchedulesRateIsTransformers() {
    compare("adafactor", new Adafactor(Adafactor.Config.DEFAULT), OptimizerProblem.DECAY, 1e-6);
  }

  @Test
  void adafactorWithRelativeStepsIsTransformers() {
    compare(
        "adafactor.relative_step",
        new Adafactor(new Adafactor.Config(true, true, false, 1, -0.8, 0)),
        OptimizerProblem.DECAY,
        1e-6);
  }

  @Test
  void adafactorWithFirstMomentAndWarmupIsTransformers() {
    compare(
        "adafactor.warmup_init",
        new Adafactor(new Adafactor.Config(true, true, true, 0.5, -0.7, 0.9)),
        0,
        1e-6);
  }

  @Test
  void gaLoreIsGaloreTorchs() {
    GaLore.Config config = new GaLore.Config(8, 200, 0.5, GaLore.Projection.STD);
    compare("galore_adamw", GaLore.adamW(config, ADAM, MATRICES), OptimizerProblem.DECAY, 1e-5);
  }

  @Test
  void gaLoreIn8BitsIsGaloreTorchs() {
    GaLore.Config config = new GaLore.Config(64, 200, 0.5, GaLore.Projection.STD);
    compare(
        "galore_adamw_8bit",
        GaLore.adamW8bit(config, ADAM, MATRICES),
        OptimizerProblem.DECAY,
        1e-4);
  }

  @ParameterizedTest
  @EnumSource(
      value = GaLore.Projection.class,
      names = {"RIGHT", "LEFT", "REVERSE_STD", "FULL"})
  void everyProjectionIsGaloreTorchs(GaLore.Projection projection) {
    String kind = "galore_adamw." + projection.name().toLowerCase(Locale.ROOT);
    GaLore.Config config = new GaLore.Config(8, 200, 0.5, projection);
    try (OptimizerProblem problem = new OptimizerProblem(List.of("small.weight", "slim.weight"));
        Optimizer optimizer = GaLore.adamW(config, new AdamW.Config(0.9, 0.999, 1e-6), MATRICES)) {
      problem.train(optimizer, OptimizerProblem.DECAY);
      // Off the diagonal, where rounding shows, the full projection is less certain.
      assertWeights(kind, problem, 1e-4, 1e-5);
    }
  }

  private static void compare(String kind, Optimizer optimizer, double decay, double most) {
    try (OptimizerProblem problem = new OptimizerProblem();
        optimizer) {
      problem.train(optimizer, decay);
      assertWeights(kind, problem, most, 1e-6);
    }
  }

  private static void assertWeights(
      String kind, OptimizerProblem problem, double most, double mean) {
    problem
        .weights()
        .forEach(
            (name, array) -> {
              float[] actual = array.toFloatArray();
              float[] expected = Golden.tensor(EXPECTED, kind + "/" + name);
              assertThat(actual).hasSameSizeAs(expected);
              double furthest = 0;
              double sum = 0;
              for (int i = 0; i < actual.length; i++) {
                furthest = Math.max(furthest, Math.abs(actual[i] - expected[i]));
                sum += Math.abs(actual[i] - expected[i]);
              }
              assertThat(furthest).as("%s after %s", name, kind).isLessThanOrEqualTo(most);
              assertThat(sum / actual.length).as("%s after %s", name, kind).isLessThan(mean);
            });
  }
}
