package io.attune.engine.objective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.attune.engine.data.KtoExample;
import io.attune.engine.data.LabelledText;
import io.attune.engine.data.PreferencePair;
import io.attune.engine.data.ScoredCompletion;
import io.attune.engine.data.SftExample;
import io.attune.engine.data.SourceAndTarget;
import io.attune.engine.token.TokenizedText;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Each loss against its formula written out plainly, each gradient against finite differences. */
class ObjectiveGradientTest {
  private static final int[] THREE = {1, 2, 3};
  private static final int[] TWO = {4, 5};
  private static final List<PreferencePair> PAIRS =
      List.of(new PreferencePair(THREE, TWO, THREE, 0.2), new PreferencePair(TWO, TWO, TWO));

  @Test
  void sft() {
    List<SftExample> rows =
        List.of(
            SftExample.completion(new int[] {1, 2, 3, 4}, 2),
            SftExample.completion(new int[] {1, 2, 3}, 0));
    List<Reading> policy = List.of(reading(-1.5, -0.25), reading(-2, -3));
    assertThat(rows.stream().mapToDouble(new Sft()::weight).sum()).isEqualTo(4);
    check(new Sft(), rows, policy, null, 5, p -> -(sum(p.get(0)) + sum(p.get(1))) / 5);
  }

  @Test
  void dpo() {
    List<Reading> policy =
        List.of(reading(-1, -2), reading(-1, -2, -3), reading(-4, -4), reading(-1, -30));
    List<Reading> reference =
        List.of(reading(-2, -2), reading(-1, -1, -1), reading(-3, -3), reading(-2, -20));
    Dpo dpo = new Dpo(new Dpo.Config(0.7, new PairLoss.Sigmoid(0.7), false));
    check(
        dpo,
        PAIRS,
        policy,
        reference,
        2,
        p -> {
          double loss = 0;
          for (int i = 0; i < 4; i += 2) {
            double chosen = sum(p.get(i)) - sum(reference.get(i));
            double rejected = sum(p.get(i + 1)) - sum(reference.get(i + 1));
            loss += Math.log(1 + Math.exp(-0.7 * (chosen - rejected))) / 2;
          }
          return loss;
        });
    assertThat(dpo.loss(PAIRS, reference, reference, 2).value())
        .isCloseTo(Math.log(2), within(1e-15));
  }

  @Test
  void rewardFromPairs() {
    List<Reading> policy = List.of(reading(0.4), reading(-0.1), reading(1), reading(3));
    check(
        new RewardModeling(new RewardModeling.Config(0.05)),
        PAIRS.stream().map(RewardPair::of).toList(),
        policy,
        null,
        2,
        p -> {
          double loss = 0;
          double[] margin = {0.2, 0};
          for (int i = 0; i < 2; i++) {
            double c = p.get(2 * i).values()[0];
            double r = p.get(2 * i + 1).values()[0];
            loss += Math.log(1 + Math.exp(-(c - r - margin[i]))) / 2;
            loss += 0.05 * (c + r) * (c + r) / 2;
          }
          return loss;
        });
  }

  @Test
  void rewardFromScores() {
    List<RatedSequence> rows =
        List.of(
            RatedSequence.of(new ScoredCompletion(TWO, TWO, 0.9)),
            RatedSequence.of(new ScoredCompletion(TWO, THREE, 0.1)));
    check(
        new RewardRegression(),
        rows,
        List.of(reading(0.5), reading(0.7)),
        null,
        2,
        p ->
            (Math.pow(p.get(0).values()[0] - 0.9, 2) + Math.pow(p.get(1).values()[0] - 0.1, 2))
                / 2);
  }

  @Test
  void sequenceTransduction() {
    SourceAndTarget row = new SourceAndTarget(THREE, TWO);
    SequenceTransduction objective = new SequenceTransduction(Sft.Config.DEFAULT);
    assertThat(objective.weight(row)).isEqualTo(2);
    check(objective, List.of(row), List.of(reading(-1, -3)), null, 4, p -> -sum(p.get(0)) / 4);
  }

  @Test
  void classesOfTokens() {
    LabelledText row =
        new LabelledText(TokenizedText.of(1, 2, 3), new int[] {0, 2}, new double[][] {{1}, {2}});
    Classification objective = new Classification(new LabelLoss.CrossEntropy(0.2));
    assertThat(objective.weight(row)).isEqualTo(2);
    check(
        objective,
        List.of(row),
        List.of(reading(0.5, -1, 2, 3, 0.1, -0.4)),
        null,
        2,
        p -> {
          double[] z = p.get(0).values();
          double loss = 0;
          for (int place = 0; place < 2; place++) {
            double sum = 0;
            for (int k = 0; k < 3; k++) {
              sum += Math.exp(z[3 * place + k]);
            }
            for (int k = 0; k < 3; k++) {
              double wanted = 0.2 / 3 + (k == place + 1 ? 0.8 : 0);
              loss -= wanted * (z[3 * place + k] - Math.log(sum)) / 2;
            }
          }
          return loss;
        });
  }

  @Test
  void severalLabels() {
    check(
        new Classification(new LabelLoss.BinaryCrossEntropy()),
        List.of(labelled(1, 0, 1)),
        List.of(reading(0.5, 2, -3)),
        null,
        1,
        p -> {
          double[] z = p.get(0).values();
          return (Math.log(1 + Math.exp(-z[0]))
                  + Math.log(1 + Math.exp(z[1]))
                  + Math.log(1 + Math.exp(-z[2])))
              / 3;
        });
  }

  @Test
  void values() {
    check(
        new Classification(new LabelLoss.SquaredError()),
        List.of(labelled(0.5, -2), labelled(1, 1)),
        List.of(reading(1, 1), reading(0, 3)),
        null,
        2,
        p -> {
          double loss = 0;
          double[][] given = {{0.5, -2}, {1, 1}};
          for (int i = 0; i < 2; i++) {
            for (int k = 0; k < 2; k++) {
              loss += Math.pow(p.get(i).values()[k] - given[i][k], 2) / 4;
            }
          }
          return loss;
        });
  }

  /** A row's weight multiplies its loss and changes no other row's. */
  @Test
  void weightedPairs() {
    List<Reading> policy = List.of(reading(0.4), reading(-0.1), reading(1), reading(3));
    check(
        new Weighted<>(new RewardModeling(RewardModeling.Config.DEFAULT)),
        List.of(
            new WeightedExample<>(RewardPair.of(PAIRS.get(0)), 0.25),
            new WeightedExample<>(RewardPair.of(PAIRS.get(1)), 1.75)),
        policy,
        null,
        2,
        p -> {
          double loss = 0;
          double[] margin = {0.2, 0};
          double[] weight = {0.25, 1.75};
          for (int i = 0; i < 2; i++) {
            double ahead = p.get(2 * i).values()[0] - p.get(2 * i + 1).values()[0] - margin[i];
            loss += weight[i] * Math.log(1 + Math.exp(-ahead)) / 2;
          }
          return loss;
        });
  }

  @Test
  void weightedTexts() {
    List<WeightedExample<SftExample>> rows =
        List.of(
            new WeightedExample<>(SftExample.completion(new int[] {1, 2, 3, 4}, 2), 3),
            new WeightedExample<>(SftExample.completion(new int[] {1, 2, 3}, 1), 0.5));
    Weighted<SftExample> objective = new Weighted<>(new Sft());
    // Weights are not divided by: a step of light rows moves little.
    assertThat(rows.stream().mapToDouble(objective::weight).sum()).isEqualTo(4);
    check(
        objective,
        rows,
        List.of(reading(-1.5, -0.25), reading(-2, -3)),
        null,
        4,
        p -> -(3 * sum(p.get(0)) + 0.5 * sum(p.get(1))) / 4);
  }

  @Test
  void weightedDpo() {
    List<Reading> policy =
        List.of(reading(-1, -2), reading(-1, -2, -3), reading(-4, -4), reading(-1, -30));
    List<Reading> reference =
        List.of(reading(-2, -2), reading(-1, -1, -1), reading(-3, -3), reading(-2, -20));
    double[] weights = {0.1, 2};
    check(
        new Weighted<>(new Dpo(new Dpo.Config(0.7, new PairLoss.Sigmoid(0.7), false))),
        List.of(
            new WeightedExample<>(PAIRS.get(0), weights[0]),
            new WeightedExample<>(PAIRS.get(1), weights[1])),
        policy,
        reference,
        2,
        p -> {
          double loss = 0;
          for (int i = 0; i < 4; i += 2) {
            double chosen = sum(p.get(i)) - sum(reference.get(i));
            double rejected = sum(p.get(i + 1)) - sum(reference.get(i + 1));
            loss += weights[i / 2] * Math.log(1 + Math.exp(-0.7 * (chosen - rejected))) / 2;
          }
          return loss;
        });
  }

  /** How far the policy moved is measured by both rows alike; what it costs is not. */
  @Test
  void weightedKto() {
    List<WeightedExample<KtoExample>> rows =
        List.of(
            new WeightedExample<>(new KtoExample(THREE, TWO, true, TWO), 0.25),
            new WeightedExample<>(new KtoExample(TWO, THREE, false, TWO), 1.75));
    List<Reading> policy =
        List.of(reading(-1, -2), reading(-1, -1), reading(-3, -1, -1), reading(-2, -0.5));
    List<Reading> reference =
        List.of(reading(-2, -2), reading(-2, -1), reading(-1, -1, -1), reading(-2, -2));
    double moved = ((-2 - -3) + (-2.5 - -4)) / 2; // the second reading of each row
    check(
        new Weighted<>(new Kto(new Kto.Config(0.5, Kto.LossType.KTO, 1, 2))),
        rows,
        policy,
        reference,
        2,
        p -> {
          double good = sum(p.get(0)) - sum(reference.get(0));
          double bad = sum(p.get(2)) - sum(reference.get(2));
          return (0.25 / (1 + Math.exp(0.5 * (good - moved)))
                  + 1.75 * 2 / (1 + Math.exp(0.5 * (moved - bad))))
              / 2;
        });
  }

  @Test
  void whatComparesRowsWithEachOtherTakesNoWeights() {
    DpoLoss transport = new DpoLoss.OptimalTransport(0.1, 0, true);
    DpoLoss mixed = new DpoLoss.Sum(List.of(new PairLoss.Hinge(1), transport), List.of(1.0, 1.0));
    for (DpoLoss loss : List.of(transport, mixed)) {
      Dpo dpo = new Dpo(new Dpo.Config(0.1, loss, false));
      assertThatThrownBy(() -> new Weighted<>(dpo))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("'weight'");
    }
  }

  private static LabelledText labelled(double... target) {
    return new LabelledText(TokenizedText.of(1), new int[0], new double[][] {target});
  }

  @Test
  void extremeMarginsStayFinite() {
    for (double x : new double[] {-1e4, 1e4}) {
      assertThat(Logistic.logSigmoid(x)).isFinite();
      assertThat(Logistic.sigmoid(x)).isBetween(0.0, 1.0);
    }
  }

  static <E> void check(
      Objective<E> objective,
      List<E> examples,
      List<Reading> policy,
      @Nullable List<Reading> reference,
      double normaliser,
      ToDoubleFunction<List<Reading>> plain) {
    Loss loss = objective.loss(examples, policy, reference, normaliser);
    assertThat(loss.value()).isCloseTo(plain.applyAsDouble(policy), within(1e-9));
    double step = 1e-6;
    for (int i = 0; i < policy.size(); i++) {
      for (int j = 0; j < policy.get(i).values().length; j++) {
        double up = plain.applyAsDouble(moved(policy, i, j, step));
        double down = plain.applyAsDouble(moved(policy, i, j, -step));
        assertThat(loss.gradient()[i][j]).isCloseTo((up - down) / (2 * step), within(1e-7));
      }
    }
  }

  private static List<Reading> moved(List<Reading> readings, int i, int j, double by) {
    List<Reading> copy = new ArrayList<>(readings);
    double[] values = readings.get(i).values().clone();
    values[j] += by;
    copy.set(i, reading(values));
    return copy;
  }

  static Reading reading(double... values) {
    return new Reading(values, new boolean[values.length]);
  }

  static double sum(Reading reading) {
    double sum = 0;
    for (double value : reading.values()) {
      sum += value;
    }
    return sum;
  }
}
