package io.attune.engine.objective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.attune.engine.data.PreferencePair;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleUnaryOperator;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Each loss of {@link Dpo} against its formula written out plainly, in the terms of its paper; each
 * gradient against finite differences; values that nobody expects.
 */
class DpoLossTest {
  private static final double BETA = 0.7;
  private static final double E = 0.2;
  private static final double TAU = 0.4;
  private static final DpoLosses LOSSES = new DpoLosses(BETA, E, TAU, null);

  private static final int[] IDS = {1, 2, 3};
  private static final PreferencePair PAIR = new PreferencePair(IDS, IDS, IDS);
  private static final List<PreferencePair> PAIRS = List.of(PAIR, PAIR, PAIR);

  private static final List<Reading> POLICY =
      List.of(
          ObjectiveGradientTest.reading(-1, -2),
          ObjectiveGradientTest.reading(-1, -2, -3),
          ObjectiveGradientTest.reading(-4, -4, -0.3),
          ObjectiveGradientTest.reading(-1, -3.5),
          ObjectiveGradientTest.reading(-0.5),
          ObjectiveGradientTest.reading(-0.9, -0.2, -0.1, -0.7));
  private static final List<Reading> REFERENCE =
      List.of(
          ObjectiveGradientTest.reading(-2, -2.5),
          ObjectiveGradientTest.reading(-1, -1, -1),
          ObjectiveGradientTest.reading(-3, -3, -0.2),
          ObjectiveGradientTest.reading(-2, -2),
          ObjectiveGradientTest.reading(-0.6),
          ObjectiveGradientTest.reading(-0.8, -1.2, -0.1, -0.9));

  /** A pair's loss by its log-ratios and its answers' lengths. */
  private interface Plain {
    double of(double c, double r, int chosenTokens, int rejectedTokens);
  }

  private static double s(double x) {
    return 1 / (1 + Math.exp(-x));
  }

  private static double nll(double x) {
    return -Math.log(s(x));
  }

  private static final Map<String, Plain> PLAIN =
      Map.ofEntries(
          Map.entry("sigmoid", (c, r, m, n) -> nll(BETA * (c - r))),
          Map.entry(
              "cdpo", (c, r, m, n) -> (1 - E) * nll(BETA * (c - r)) + E * nll(BETA * (r - c))),
          Map.entry(
              "robust",
              (c, r, m, n) ->
                  ((1 - E) * nll(BETA * (c - r)) - E * nll(BETA * (r - c))) / (1 - 2 * E)),
          Map.entry("hinge", (c, r, m, n) -> Math.max(0, 1 - BETA * (c - r))),
          Map.entry("ipo", (c, r, m, n) -> Math.pow(c / m - r / n - 1 / (2 * BETA), 2)),
          Map.entry(
              "exo_pair",
              (c, r, m, n) -> {
                double q = s(BETA * (c - r));
                return q * Math.log(q / (1 - E)) + (1 - q) * Math.log((1 - q) / E);
              }),
          Map.entry(
              "discopop",
              (c, r, m, n) -> {
                double x = BETA * (c - r);
                return nll(x) * (1 - s(x / TAU)) + Math.exp(-x) * s(x / TAU);
              }),
          Map.entry("sigmoid_norm", (c, r, m, n) -> nll(BETA * (c / m - r / n))),
          Map.entry(
              "nca_pair",
              (c, r, m, n) -> nll(BETA * c) + 0.5 * nll(-BETA * c) + 0.5 * nll(-BETA * r)),
          Map.entry("bco_pair", (c, r, m, n) -> nll(BETA * c) + nll(-BETA * r)),
          Map.entry(
              "sppo_hard",
              (c, r, m, n) -> Math.pow(c - 0.5 / BETA, 2) + Math.pow(r + 0.5 / BETA, 2)),
          Map.entry("apo_zero", (c, r, m, n) -> 1 - s(BETA * c) + s(BETA * r)),
          Map.entry("apo_down", (c, r, m, n) -> s(BETA * c) + 1 - s(BETA * (c - r))));

  private static Stream<String> ofPairs() {
    return PLAIN.keySet().stream().sorted();
  }

  private static Stream<String> all() {
    return Stream.concat(ofPairs(), Stream.of("aot", "aot_unpaired", "sft"));
  }

  /** Of losses that read label_smoothing, and of others. */
  private static DpoLoss loss(String... names) {
    List<String> all = new ArrayList<>(List.of(names));
    all.add("cdpo"); // so that label_smoothing is read, at no weight
    List<Double> weights = new ArrayList<>();
    Arrays.stream(names).forEach(name -> weights.add(1.0));
    weights.add(0.0);
    return LOSSES.named(all, weights);
  }

  @ParameterizedTest
  @MethodSource("ofPairs")
  void formulasAndGradients(String name) {
    Dpo dpo = new Dpo(new Dpo.Config(BETA, loss(name), false));
    ObjectiveGradientTest.check(
        dpo,
        PAIRS,
        POLICY,
        REFERENCE,
        4,
        policy -> mean(policy, REFERENCE, PLAIN.get(name)) * 3 / 4);
    // Without a reference it is one that finds all answers alike.
    List<Reading> none = POLICY.stream().map(r -> zero(r)).toList();
    Dpo free = new Dpo(new Dpo.Config(BETA, loss(name), true));
    assertThat(free.usesReference()).isFalse();
    ObjectiveGradientTest.check(
        free, PAIRS, POLICY, null, 3, policy -> mean(policy, none, PLAIN.get(name)));
  }

  private static Reading zero(Reading reading) {
    return ObjectiveGradientTest.reading(new double[reading.values().length]);
  }

  private static double mean(List<Reading> policy, List<Reading> reference, Plain plain) {
    double sum = 0;
    for (int i = 0; i < policy.size(); i += 2) {
      sum +=
          plain.of(
              ObjectiveGradientTest.sum(policy.get(i))
                  - ObjectiveGradientTest.sum(reference.get(i)),
              ObjectiveGradientTest.sum(policy.get(i + 1))
                  - ObjectiveGradientTest.sum(reference.get(i + 1)),
              policy.get(i).values().length,
              policy.get(i + 1).values().length);
    }
    return sum / (policy.size() / 2);
  }

  @Test
  void distributionsAreComparedRankByRank() {
    Plain smoothed = PLAIN.get("cdpo");
    ToDoubleFunction<List<Reading>> paired =
        policy -> {
          double[] own = sorted(policy, null, 0, 1);
          double[] other = sorted(REFERENCE, null, 0, 1);
          return rankByRank(own, other, smoothed);
        };
    check("aot", paired);
    ToDoubleFunction<List<Reading>> unpaired =
        policy -> {
          double[] chosen = sorted(policy, REFERENCE, 0, -1);
          double[] rejected = sorted(policy, REFERENCE, 1, -1);
          return rankByRank(chosen, rejected, smoothed);
        };
    check("aot_unpaired", unpaired);
  }

  private static void check(String name, ToDoubleFunction<List<Reading>> plain) {
    Dpo dpo = new Dpo(new Dpo.Config(BETA, loss(name), false));
    ObjectiveGradientTest.check(dpo, PAIRS, POLICY, REFERENCE, 3, plain);
  }

  /** Of each pair {@code first}, less {@code second} or what the reference says of first. */
  private static double[] sorted(
      List<Reading> of, @Nullable List<Reading> reference, int first, int second) {
    double[] values = new double[of.size() / 2];
    for (int i = 0; i < values.length; i++) {
      values[i] = ObjectiveGradientTest.sum(of.get(2 * i + first));
      Reading less = reference == null ? of.get(2 * i + second) : reference.get(2 * i + first);
      values[i] -= ObjectiveGradientTest.sum(less);
    }
    Arrays.sort(values);
    return values;
  }

  private static double rankByRank(double[] high, double[] low, Plain plain) {
    double sum = 0;
    for (int i = 0; i < high.length; i++) {
      sum += plain.of(high[i] - low[i], 0, 1, 1) / high.length;
    }
    return sum;
  }

  @Test
  void mixtures() {
    DpoLoss mixed = LOSSES.named(List.of("cdpo", "bco_pair", "sft"), List.of(0.8, 0.2, 1.5));
    ObjectiveGradientTest.check(
        new Dpo(new Dpo.Config(BETA, mixed, false)),
        PAIRS,
        POLICY,
        REFERENCE,
        3,
        policy -> {
          double chosen = 0;
          for (int i = 0; i < 6; i += 2) {
            chosen -= ObjectiveGradientTest.sum(policy.get(i)) / (2 + 3 + 1);
          }
          return 0.8 * mean(policy, REFERENCE, PLAIN.get("cdpo"))
              + 0.2 * mean(policy, REFERENCE, PLAIN.get("bco_pair"))
              + 1.5 * chosen;
        });
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 0.4, 0.999, 1.8})
  void divergences(double alpha) {
    check(new Divergence.Alpha(alpha), u -> (Math.pow(Math.exp(u), alpha - 1) - 1) / (alpha - 1));
    check(new Divergence.JensenShannon(), u -> Math.log(2 * Math.exp(u) / (Math.exp(u) + 1)));
  }

  private static void check(Divergence divergence, DoubleUnaryOperator score) {
    for (String name : List.of("cdpo", "robust", "hinge", "ipo", "exo_pair", "sigmoid_norm")) {
      DpoLoss loss =
          new DpoLosses(BETA, E, TAU, divergence).named(List.of(name, "cdpo"), List.of(1.0, 0.0));
      Plain plain = PLAIN.get(name);
      ObjectiveGradientTest.check(
          new Dpo(new Dpo.Config(BETA, loss, false)),
          PAIRS,
          POLICY,
          REFERENCE,
          3,
          policy ->
              mean(
                  policy,
                  REFERENCE,
                  (c, r, m, n) -> plain.of(score.applyAsDouble(c), score.applyAsDouble(r), m, n)));
    }
    for (double u : new double[] {-1e6, -1e3, 1e3, 1e6}) {
      assertThat((float) divergence.score(u)).isFinite();
      assertThat((float) divergence.slope(u)).isFinite();
    }
  }

  @ParameterizedTest
  @MethodSource("all")
  void hostileLogProbabilitiesStayFinite(String name) {
    DpoLoss loss = loss(name);
    double[] values = {-1e8, -1e5, -1e3, -1, 0, 1, 1e3, 1e5, 1e8};
    for (double c : values) {
      for (double r : values) {
        PairLogProbs pair = new PairLogProbs(c, r, 0, 0, 3, 5);
        for (DpoLoss.Term term : loss.of(List.of(pair, pair))) {
          assertThat(term.value()).as("%s at %s, %s", name, c, r).isFinite();
          assertThat(term.chosen()).as("%s at %s, %s", name, c, r).isFinite();
          assertThat(term.rejected()).as("%s at %s, %s", name, c, r).isFinite();
        }
      }
    }
  }

  /** So that the run stops, and the weights stay. */
  @ParameterizedTest
  @MethodSource("all")
  void notANumberIsNeverHidden(String name) {
    PairLogProbs pair = new PairLogProbs(-1, -2, -1.5, -1.5, 3, 5);
    PairLogProbs broken = new PairLogProbs(Double.NaN, -2, -1.5, -1.5, 3, 5);
    double sum =
        loss(name).of(List.of(pair, broken)).stream().mapToDouble(DpoLoss.Term::value).sum();
    assertThat(sum).isNaN();
  }

  @Test
  void settingsThatCannotBeAreNamed() {
    assertRefused("'beta' is 0.0; it must be positive", () -> DpoLosses.ofBeta(0));
    assertRefused("'beta'", () -> new Dpo.Config(Double.NaN, new PairLoss.Sigmoid(1), false));
    DpoLosses plain = DpoLosses.ofBeta(0.1);
    assertRefused(
        "'loss_type' is simpo; for dpo there are sigmoid, cdpo",
        () -> plain.named(List.of("simpo"), List.of()));
    assertRefused("'loss_type' names no loss", () -> plain.named(List.of(), List.of()));
    assertRefused(
        "'loss_weights' has 1 numbers and 'loss_type' 2",
        () -> plain.named(List.of("sigmoid", "sft"), List.of(1.0)));
    assertRefused(
        "'loss_weights'", () -> plain.named(List.of("sigmoid", "sft"), List.of(1.0, Double.NaN)));
    assertRefused("(0, 1) for exo_pair", () -> plain.named(List.of("exo_pair"), List.of()));
    assertRefused(
        "'label_smoothing' is 0.5; it must be in [0, 0.5)",
        () -> new DpoLosses(1, 0.5, 0.05, null).named(List.of("robust"), List.of()));
    assertRefused(
        "no 'loss_type' of [sigmoid] reads it",
        () -> new DpoLosses(1, 0.1, 0.05, null).named(List.of("sigmoid"), List.of()));
    assertRefused(
        "'discopop_tau' is 2.0; it must be in (0, 1]",
        () -> new DpoLosses(1, 0, 2, null).named(List.of("discopop"), List.of()));
    assertRefused("'f_alpha_divergence_coef' is 1.0", () -> new Divergence.Alpha(1));
    assertRefused(
        "'f_divergence_type' does not fit loss_type aot; it fits sigmoid",
        () ->
            new DpoLosses(1, 0, 0.05, new Divergence.JensenShannon())
                .named(List.of("aot"), List.of()));
  }

  static void assertRefused(String says, Runnable what) {
    assertThatThrownBy(what::run)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(says);
  }

  @Test
  void withoutNoiseTheTolerantLossesAreThePlainOne() {
    LogRatios ratios = new LogRatios(1.2, -0.4, 3, 4);
    DpoLoss.Term plain = new PairLoss.Sigmoid(BETA).of(ratios);
    assertThat(new PairLoss.Conservative(BETA, 0).of(ratios)).isEqualTo(plain);
    assertThat(new PairLoss.Robust(BETA, 0).of(ratios).value())
        .isCloseTo(plain.value(), within(1e-15));
  }
}
