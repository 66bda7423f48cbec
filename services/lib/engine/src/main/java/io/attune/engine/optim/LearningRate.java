package io.attune.engine.optim;

/** Learning-rate schedules with the names and formulas of transformers' {@code get_scheduler}. */
public enum LearningRate {
  CONSTANT {
    @Override
    double factor(int step, int warmup, int total) {
      return 1;
    }
  },
  CONSTANT_WITH_WARMUP {
    @Override
    double factor(int step, int warmup, int total) {
      return step < warmup ? warm(step, warmup) : 1;
    }
  },
  LINEAR {
    @Override
    double factor(int step, int warmup, int total) {
      return step < warmup
          ? warm(step, warmup)
          : Math.max(0, (double) (total - step) / Math.max(1, total - warmup));
    }
  },
  COSINE {
    @Override
    double factor(int step, int warmup, int total) {
      double progress = (double) (step - warmup) / Math.max(1, total - warmup);
      return step < warmup
          ? warm(step, warmup)
          : Math.max(0, 0.5 * (1 + Math.cos(Math.PI * progress)));
    }
  };

  abstract double factor(int step, int warmup, int total);

  private static double warm(int step, int warmup) {
    return (double) step / Math.max(1, warmup);
  }

  /**
   * @param peak the {@code learning_rate} setting
   * @param step optimizer steps done so far: 0 for the first
   * @param warmup steps that rise from 0 to the peak
   * @param total steps of the whole run
   */
  public double at(double peak, int step, int warmup, int total) {
    return peak * factor(step, warmup, total);
  }

  /** The schedule that transformers calls {@code name}. */
  public static LearningRate named(String name) {
    for (LearningRate schedule : values()) {
      if (schedule.id().equals(name)) {
        return schedule;
      }
    }
    throw new IllegalArgumentException(
        "'lr_scheduler_type' is "
            + name
            + "; implemented are constant, constant_with_warmup, linear and cosine");
  }

  public String id() {
    return name().toLowerCase(java.util.Locale.ROOT);
  }
}
