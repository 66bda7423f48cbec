package io.attune.training.dataset;

import java.util.List;

/** Weighted least squares with a penalty: the smallest reward model there is. */
final class Ridge {
  private final double[] coefficients;

  private Ridge(double[] coefficients) {
    this.coefficients = coefficients;
  }

  /**
   * Minimises sum of w (y - x b)^2 + penalty b^2; the last coefficient is a constant, not
   * penalised.
   *
   * @param features of each example, all of one length
   */
  static Ridge fit(List<double[]> features, double[] targets, double[] weights, double penalty) {
    int n = features.get(0).length + 1;
    double[][] a = new double[n][n];
    double[] b = new double[n];
    for (int row = 0; row < targets.length; row++) {
      double[] x = withConstant(features.get(row));
      for (int i = 0; i < n; i++) {
        double scaled = weights[row] * x[i];
        if (scaled != 0) {
          b[i] += scaled * targets[row];
          for (int j = 0; j <= i; j++) {
            a[i][j] += scaled * x[j];
          }
        }
      }
    }
    for (int i = 0; i < n; i++) {
      a[i][i] += i + 1 < n ? penalty : 1e-9;
    }
    return new Ridge(solve(a, b));
  }

  double predict(double[] features) {
    double[] x = withConstant(features);
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      sum += coefficients[i] * x[i];
    }
    return sum;
  }

  /**
   * How often, of two texts whose means differ by 0.1 or more, the better one is predicted to be;
   * ties count half.
   */
  static double accuracy(double[] truth, double[] predicted) {
    double right = 0;
    long pairs = 0;
    for (int i = 0; i < truth.length; i++) {
      for (int j = 0; j < truth.length; j++) {
        if (truth[i] - truth[j] >= 0.1) {
          pairs++;
          right += predicted[i] > predicted[j] ? 1 : predicted[i] == predicted[j] ? 0.5 : 0;
        }
      }
    }
    return right / pairs;
  }

  private static double[] withConstant(double[] features) {
    double[] x = java.util.Arrays.copyOf(features, features.length + 1);
    x[features.length] = 1;
    return x;
  }

  /** Cholesky's method on the lower half of a, which it overwrites. */
  private static double[] solve(double[][] a, double[] b) {
    int n = b.length;
    for (int i = 0; i < n; i++) {
      for (int j = 0; j <= i; j++) {
        double sum = a[i][j];
        for (int k = 0; k < j; k++) {
          sum -= a[i][k] * a[j][k];
        }
        a[i][j] = i == j ? Math.sqrt(sum) : sum / a[j][j];
      }
    }
    double[] x = b.clone();
    for (int i = 0; i < n; i++) {
      for (int k = 0; k < i; k++) {
        x[i] -= a[i][k] * x[k];
      }
      x[i] /= a[i][i];
    }
    for (int i = n - 1; i >= 0; i--) {
      for (int k = i + 1; k < n; k++) {
        x[i] -= a[k][i] * x[k];
      }
      x[i] /= a[i][i];
    }
    return x;
  }
}
