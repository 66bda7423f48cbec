package io.attune.engine.objective;

import static io.attune.engine.objective.ObjectiveGradientTest.check;
import static io.attune.engine.objective.ObjectiveGradientTest.reading;
import static io.attune.engine.objective.ObjectiveGradientTest.sum;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.attune.engine.data.KtoExample;
import io.attune.engine.data.PreferencePair;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** ORPO, SimPO and KTO against their formulas written out plainly, and finite differences. */
class PreferenceObjectivesTest {
  private static final int[] ONE = {7};
  private static final int[] TWO = {4, 5};
  private static final int[] THREE = {1, 2, 3};
  private static final List<PreferencePair> PAIRS =
      List.of(new PreferencePair(THREE, TWO, THREE), new PreferencePair(TWO, ONE, TWO));

  private static double s(double x) {
    return 1 / (1 + Math.exp(-x));
  }

  private static double mean(double... values) {
    return Arrays.stream(values).average().orElseThrow();
  }

  @Test
  void oddsRatios() {
    Orpo orpo = new Orpo(new Orpo.Config(0.3));
    // All tokens of prompt and chosen answer but the first, and the rejected answer's.
    List<Reading> policy =
        List.of(
            reading(-3, -2.5, -1, -2),
            reading(-1, -0.5, -3),
            reading(-2, -0.01),
            reading(-0.3, -0.7));
    for (int i = 0; i < 4; i++) {
      Sequence sequence = orpo.sequences(PAIRS.get(i / 2)).get(i % 2);
      assertThat(((Sequence.Continued) sequence).targetCount())
          .isEqualTo(policy.get(i).values().length);
    }
    check(
        orpo,
        PAIRS,
        policy,
        null,
        5,
        p -> {
          double[] a = p.get(0).values();
          double[] b = p.get(2).values();
          double nll = -(sum(p.get(0)) + sum(p.get(2))) / 6;
          double first = odds(mean(a[2], a[3])) / odds(mean(p.get(1).values()));
          double second = odds(b[1]) / odds(mean(p.get(3).values()));
          return (2 * nll
                  - 0.3 * Math.log(s(Math.log(first)))
                  - 0.3 * Math.log(s(Math.log(second))))
              / 5;
        });
  }

  private static double odds(double logProb) {
    return Math.exp(logProb) / (1 - Math.exp(logProb));
  }

  @Test
  void simplePreferenceOptimisation() {
    List<Reading> policy =
        List.of(reading(-1, -2), reading(-1, -0.5, -3), reading(-0.1), reading(-0.3, -0.7));
    check(
        new SimPo(new SimPo.Config(2, 0.8, 0.1, 0.6)),
        PAIRS,
        policy,
        null,
        3,
        p -> {
          double nll = -(sum(p.get(0)) + sum(p.get(2))) / 3;
          double loss = 0;
          for (int i = 0; i < 4; i += 2) {
            double x = 2 * (mean(p.get(i).values()) - mean(p.get(i + 1).values())) - 0.8;
            loss -= 0.9 * Math.log(s(x)) + 0.1 * Math.log(s(-x));
          }
          return (loss + 2 * 0.6 * nll) / 3;
        });
  }

  private static KtoExample judged(boolean desirable) {
    return new KtoExample(THREE, TWO, desirable, ONE);
  }

  @ParameterizedTest
  @ValueSource(doubles = {-0.5, -4})
  void kahnemanTversky(double mismatched) {
    // The second value decides whether the policy has come nearer to mismatched answers, or not.
    List<KtoExample> rows = List.of(judged(true), judged(false), judged(true));
    List<Reading> policy =
        List.of(
            reading(-1, -2),
            reading(mismatched),
            reading(-3, -0.5),
            reading(-1.5),
            reading(-1, -1),
            reading(-2));
    List<Reading> reference =
        List.of(
            reading(-2, -2),
            reading(-2),
            reading(-1, -0.5),
            reading(-1.7),
            reading(-1, -3),
            reading(-2));
    double kl = Math.max(0, (mismatched + 2 + 0.2) / 3);
    assertThat(kl > 0).isEqualTo(mismatched > -1);
    Kto kto = new Kto(new Kto.Config(0.6, Kto.LossType.KTO, 1.3, 0.7));
    assertThat(kto.sequences(rows.get(0))).hasSize(2);
    check(
        kto,
        rows,
        policy,
        reference,
        4,
        p -> {
          double loss = 0;
          for (int i = 0; i < 3; i++) {
            double ratio = sum(p.get(2 * i)) - sum(reference.get(2 * i));
            loss +=
                i == 1
                    ? 0.7 * (1 - s(0.6 * (kl - ratio)))
                    : 1.3 * (1 - s(0.6 * (ratio - kl))); // kl is taken as it is
          }
          return loss / 4;
        });
    assertThat(kto.loss(rows, policy, reference, 4).metrics().means().get("kl"))
        .isCloseTo(kl, within(1e-12));
  }

  @Test
  void withoutMismatchedAnswersNothingIsSubtracted() {
    Kto kto = new Kto(new Kto.Config(0.6, Kto.LossType.APO_ZERO_UNPAIRED, 1.3, 0.7));
    List<KtoExample> rows = List.of(judged(true), judged(false));
    assertThat(kto.sequences(rows.get(0))).hasSize(1);
    List<Reading> reference = List.of(reading(-2, -2), reading(-1, -0.5));
    check(
        kto,
        rows,
        List.of(reading(-1, -2), reading(-3, -0.5)),
        reference,
        2,
        p -> {
          double up = sum(p.get(0)) - sum(reference.get(0));
          double down = sum(p.get(1)) - sum(reference.get(1));
          return (1.3 * (1 - s(0.6 * up)) + 0.7 * s(0.6 * down)) / 2;
        });
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, -1e-15, -1e-9, -1e3, -1e6, -1e8})
  void hostileLogProbabilitiesStayFinite(double chosen) {
    PreferencePair pair = new PreferencePair(TWO, ONE, ONE);
    for (double rejected : new double[] {0, -1e-15, -1, -1e3, -1e8}) {
      List<Reading> policy = List.of(reading(-2, chosen), reading(rejected));
      assertFinite(new Orpo(Orpo.Config.DEFAULT).loss(List.of(pair), policy, null, 1));
      assertFinite(new SimPo(SimPo.Config.DEFAULT).loss(List.of(pair), policy, null, 1));
      List<Reading> answers = List.of(reading(chosen), reading(rejected));
      List<Reading> zero = List.of(reading(0), reading(0));
      for (boolean desirable : new boolean[] {true, false}) {
        List<KtoExample> row = List.of(judged(desirable));
        assertFinite(new Kto(Kto.Config.DEFAULT).loss(row, answers, zero, 1));
        assertFinite(new Kto(Kto.Config.DEFAULT).loss(row, zero, answers, 1));
      }
    }
  }

  private static void assertFinite(Loss loss) {
    assertThat(loss.value()).isFinite();
    for (double[] each : loss.gradient()) {
      for (double slope : each) {
        assertThat(slope).isFinite();
      }
    }
  }

  /** So that the run stops, and the weights stay. */
  @Test
  void notANumberIsNeverHidden() {
    List<Reading> broken = List.of(reading(-2, Double.NaN), reading(-1));
    List<PreferencePair> pairs = List.of(new PreferencePair(TWO, ONE, ONE));
    assertThat(new Orpo(Orpo.Config.DEFAULT).loss(pairs, broken, null, 1).value()).isNaN();
    assertThat(new SimPo(SimPo.Config.DEFAULT).loss(pairs, broken, null, 1).value()).isNaN();
    List<Reading> reference = List.of(reading(-2, -1), reading(-1));
    List<Reading> elsewhere = List.of(reading(-2, -1), reading(Double.NaN));
    Kto kto = new Kto(Kto.Config.DEFAULT);
    assertThat(kto.loss(List.of(judged(true)), broken, reference, 1).value()).isNaN();
    assertThat(kto.loss(List.of(judged(true)), elsewhere, reference, 1).value()).isNaN();
  }

  @Test
  void settingsThatCannotBeAreNamed() {
    DpoLossTest.assertRefused("'beta' is 0.0", () -> new Orpo.Config(0));
    DpoLossTest.assertRefused("'simpo_gamma'", () -> new SimPo.Config(1, -1, 0, 0));
    DpoLossTest.assertRefused("'cpo_alpha'", () -> new SimPo.Config(1, 1, 0, -1));
    DpoLossTest.assertRefused("'label_smoothing'", () -> new SimPo.Config(1, 1, 1, 0));
    DpoLossTest.assertRefused(
        "'desirable_weight' is -1.0", () -> new Kto.Config(1, Kto.LossType.KTO, -1, 1));
    DpoLossTest.assertRefused(
        "'undesirable_weight' is 0.0; it must be positive where 'desirable_weight' is 0",
        () -> new Kto.Config(1, Kto.LossType.KTO, 0, 0));
  }
}
