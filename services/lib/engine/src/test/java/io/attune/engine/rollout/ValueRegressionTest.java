package io.attune.engine.rollout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.attune.engine.objective.Loss;
import io.attune.engine.objective.Objective.Readout;
import io.attune.engine.objective.Sequence;
import io.attune.engine.rollout.ValueRegression.Config;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The loss of values against its formula over padded arrays, and finite differences. */
class ValueRegressionTest {
  private static final List<Config> CONFIGS =
      List.of(Config.DEFAULT, new Config(0.5, 1), new Config(Double.POSITIVE_INFINITY, 0.3));

  private record Case(Padded batch, double[][] values, double[][] old, double[][] returns) {
    static Case random(long seed) {
      Padded batch = new Padded(seed);
      double[][] values = batch.normal(0, 1);
      return new Case(batch, values, batch.near(values, 0.4), batch.near(values, 0.6));
    }

    List<Experience> experiences() {
      List<Experience> list = new ArrayList<>();
      for (int i = 0; i < batch.rows; i++) {
        list.add(Padded.valued(batch.ragged(returns)[i], batch.ragged(old)[i]));
      }
      return list;
    }
  }

  private static double naive(Config config, Case c, double[][] values) {
    double sum = 0;
    double count = 0;
    for (int i = 0; i < c.batch().rows; i++) {
      for (int t = 0; t < c.batch().width; t++) {
        double near = values[i][t];
        near = Math.max(near, c.old()[i][t] - config.cliprangeValue());
        near = Math.min(near, c.old()[i][t] + config.cliprangeValue());
        double plain = Math.pow(values[i][t] - c.returns()[i][t], 2);
        double clipped = Math.pow(near - c.returns()[i][t], 2);
        sum += c.batch().mask[i][t] * Math.max(plain, clipped);
        count += c.batch().mask[i][t];
      }
    }
    return config.vfCoef() * 0.5 * sum / count;
  }

  private static Loss lossOf(Config config, Case c) {
    return new ValueRegression(config)
        .loss(
            c.experiences(),
            Padded.readings(c.batch().ragged(c.values())),
            null,
            c.batch().tokens());
  }

  @Test
  void lossAndGradientAreTheFormulas() {
    double step = 1e-6;
    for (long seed = 0; seed < 30; seed++) {
      Case c = Case.random(seed);
      for (Config config : CONFIGS) {
        Loss loss = lossOf(config, c);
        assertThat(loss.value()).isCloseTo(naive(config, c, c.values()), within(1e-12));
        for (int i = 0; i < c.batch().rows; i++) {
          for (int t = 0; t < c.batch().length(i); t++) {
            double[][] up = copied(c.values());
            up[i][t] += step;
            double[][] down = copied(c.values());
            down[i][t] -= step;
            assertThat(loss.gradient()[i][t])
                .isCloseTo(
                    (naive(config, c, up) - naive(config, c, down)) / (2 * step), within(1e-6));
          }
        }
      }
    }
  }

  private static double[][] copied(double[][] values) {
    double[][] copy = new double[values.length][];
    for (int i = 0; i < copy.length; i++) {
      copy[i] = values[i].clone();
    }
    return copy;
  }

  @Test
  void metricsLeaveTheCoefficientOut() {
    // Old values 0: the first moved too far towards its return, the second too far away.
    Experience one = Padded.valued(new double[] {1, -1, 0.1}, new double[3]);
    double[][] read = {{0.8, 0.6, 0.1}};
    Loss loss =
        new ValueRegression(Config.DEFAULT).loss(List.of(one), Padded.readings(read), null, 3);
    double mean = (0.8 * 0.8 + 1.6 * 1.6 + 0) / 2 / 3;
    assertThat(loss.metrics().means().get("loss/value_avg")).isCloseTo(mean, within(1e-15));
    assertThat(loss.metrics().means().get("val/clipfrac_avg")).isCloseTo(1 / 3.0, within(1e-15));
    assertThat(loss.value()).isCloseTo(0.1 * mean, within(1e-15));
    assertThat(loss.gradient()[0])
        .containsExactly(new double[] {0, 0.1 * 1.6 / 3, 0}, within(1e-15));
  }

  @Test
  void theValueOfATokenIsReadBeforeIt() {
    ValueRegression objective = new ValueRegression(Config.DEFAULT);
    double[] none = new double[2];
    Experience one =
        new Experience(new int[] {7, 8, 9}, new int[] {4, 2}, none, none, null, none, none, null);
    assertThat(objective.readout()).isEqualTo(Readout.LOGITS);
    assertThat(objective.usesReference()).isFalse();
    assertThat(objective.weight(one)).isEqualTo(2);
    Sequence.Classified read = (Sequence.Classified) objective.sequences(one).get(0);
    assertThat(read.text().ids()).containsExactly(7, 8, 9, 4, 2);
    assertThat(read.places()).containsExactly(2, 3);
  }

  @Test
  void explainedVariance() {
    double[] returns = {1, 2, 4};
    Experience perfect = Padded.valued(returns, returns);
    Experience constant = Padded.valued(returns, new double[] {5, 5, 5});
    Experience backwards = Padded.valued(returns, new double[] {4, 2, 1});
    assertThat(ValueRegression.explainedVariance(List.of(perfect))).isEqualTo(1);
    assertThat(ValueRegression.explainedVariance(List.of(constant))).isCloseTo(0, within(1e-15));
    assertThat(ValueRegression.explainedVariance(List.of(backwards))).isNegative();
    // Returns 1 2 4 1 2 4 less values 1 2 4 5 5 5: misses 0 0 0 -4 -3 -1, by hand.
    assertThat(ValueRegression.explainedVariance(List.of(perfect, constant)))
        .isCloseTo(1 - (26 - 64 / 6.0) / (42 - 196 / 6.0), within(1e-12));
    assertThat(
            ValueRegression.explainedVariance(
                List.of(Padded.valued(new double[] {1, 1}, new double[] {0, 3}))))
        .isNaN();
  }

  @Test
  void whatDoesNotFitIsRefused() {
    assertThatThrownBy(() -> new Config(0, 0.1)).hasMessageContaining("'cliprange_value' is 0.0");
    assertThatThrownBy(() -> new Config(0.2, 0)).hasMessageContaining("'vf_coef' is 0.0");
    ValueRegression objective = new ValueRegression(Config.DEFAULT);
    List<Experience> without = List.of(Padded.experience(new double[2], new double[2], null, null));
    assertThatThrownBy(() -> objective.loss(without, Padded.readings(new double[1][2]), null, 1))
        .hasMessageContaining("no 'returns'");
    List<Experience> one = List.of(Padded.valued(new double[2], new double[2]));
    assertThatThrownBy(() -> objective.loss(one, Padded.readings(new double[1][4]), null, 1))
        .hasMessageContaining("4 values")
        .hasMessageContaining("2 tokens");
  }
}
