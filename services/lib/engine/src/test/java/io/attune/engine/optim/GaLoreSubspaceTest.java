package io.attune.engine.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/**
 * GaLore over several searches for its subspace, against a naive oracle in double precision. The
 * oracle takes the basis from the state: the signs of singular vectors are LAPACK's choice, and
 * moments go on in the coordinates of the next basis.
 */
class GaLoreSubspaceTest {
  private static final String NAME = "small.weight";
  private static final int ROWS = 12;
  private static final int COLUMNS = 20;
  private static final int RANK = 5;
  private static final int GAP = 4;
  private static final double SCALE = 0.5;

  @Test
  void theSubspaceFollowsTheGradientAndMomentsGoOn() {
    double[] m = new double[RANK * COLUMNS];
    double[] v = new double[RANK * COLUMNS];
    float[] before = null;
    try (OptimizerProblem problem = new OptimizerProblem(List.of(NAME));
        Optimizer optimizer =
            GaLore.adamW(
                new GaLore.Config(RANK, GAP, SCALE, GaLore.Projection.STD),
                AdamW.Config.DEFAULT,
                Set.of(NAME))) {
      optimizer.add(NAME, OptimizerProblem.SHAPES.get(NAME));
      for (int step = 0; step < 11; step++) {
        float[] weight = problem.weights().get(NAME).toFloatArray();
        float[] gradient = problem.gradient(NAME, weight);
        problem.step(optimizer, step, OptimizerProblem.DECAY);
        float[] basis = optimizer.state().get("ortho_matrix.left." + NAME).toFloatArray();
        if (step % GAP == 0) {
          assertLeading(basis, gradient);
          assertThat(basis).isNotEqualTo(before);
        } else {
          assertThat(basis).isEqualTo(before);
        }
        before = basis;
        double[] expected = update(weight, gradient, basis, m, v, step);
        float[] actual = problem.weights().get(NAME).toFloatArray();
        for (int i = 0; i < actual.length; i++) {
          assertThat((double) actual[i]).isCloseTo(expected[i], within(2e-6));
        }
      }
    }
  }

  private static double[] update(
      float[] weight, float[] gradient, float[] basis, double[] m, double[] v, int step) {
    double rate = OptimizerProblem.rate(step);
    double correction1 = 1 - Math.pow(0.9, step + 1);
    double correction2 = Math.sqrt(1 - Math.pow(0.999, step + 1));
    double[] result = new double[weight.length];
    for (int i = 0; i < weight.length; i++) {
      result[i] = weight[i];
    }
    for (int r = 0; r < RANK; r++) {
      for (int c = 0; c < COLUMNS; c++) {
        double low = 0;
        for (int row = 0; row < ROWS; row++) {
          low += (double) basis[row * RANK + r] * gradient[row * COLUMNS + c];
        }
        int i = r * COLUMNS + c;
        m[i] = 0.9 * m[i] + 0.1 * low;
        v[i] = 0.999 * v[i] + 0.001 * low * low;
        double change = rate * correction2 / correction1 * m[i] / (Math.sqrt(v[i]) + 1e-8) * SCALE;
        for (int row = 0; row < ROWS; row++) {
          result[row * COLUMNS + c] -= basis[row * RANK + r] * change;
        }
      }
    }
    for (int i = 0; i < weight.length; i++) {
      result[i] *= 1 - rate * OptimizerProblem.DECAY;
    }
    return result;
  }

  /** The basis is orthonormal and catches as much of the gradient as any of its rank can. */
  private static void assertLeading(float[] basis, float[] gradient) {
    double[][] square = new double[ROWS][ROWS];
    for (int a = 0; a < ROWS; a++) {
      for (int b = 0; b < ROWS; b++) {
        for (int c = 0; c < COLUMNS; c++) {
          square[a][b] += (double) gradient[a * COLUMNS + c] * gradient[b * COLUMNS + c];
        }
      }
    }
    double caught = 0;
    for (int r = 0; r < RANK; r++) {
      for (int other = 0; other < RANK; other++) {
        double dot = 0;
        for (int a = 0; a < ROWS; a++) {
          dot += (double) basis[a * RANK + r] * basis[a * RANK + other];
        }
        assertThat(dot).isCloseTo(r == other ? 1 : 0, within(1e-5));
      }
      for (int a = 0; a < ROWS; a++) {
        for (int b = 0; b < ROWS; b++) {
          caught += basis[a * RANK + r] * square[a][b] * basis[b * RANK + r];
        }
      }
    }
    double[] energies = eigenvalues(square);
    double most = 0;
    for (int r = 0; r < RANK; r++) {
      most += energies[ROWS - 1 - r];
    }
    assertThat(caught).isCloseTo(most, within(1e-5 * most));
  }

  /** Of a symmetric matrix, ascending, by Jacobi's rotations; the matrix is used up. */
  private static double[] eigenvalues(double[][] a) {
    int n = a.length;
    for (int sweep = 0; sweep < 30; sweep++) {
      for (int p = 0; p < n; p++) {
        for (int q = p + 1; q < n; q++) {
          double angle = 0.5 * Math.atan2(2 * a[p][q], a[q][q] - a[p][p]);
          double c = Math.cos(angle);
          double s = Math.sin(angle);
          for (int k = 0; k < n; k++) {
            double kp = a[k][p];
            double kq = a[k][q];
            a[k][p] = c * kp - s * kq;
            a[k][q] = s * kp + c * kq;
          }
          for (int k = 0; k < n; k++) {
            double pk = a[p][k];
            double qk = a[q][k];
            a[p][k] = c * pk - s * qk;
            a[q][k] = s * pk + c * qk;
          }
        }
      }
    }
    double[] values = new double[n];
    for (int i = 0; i < n; i++) {
      values[i] = a[i][i];
    }
    Arrays.sort(values);
    return values;
  }
}
