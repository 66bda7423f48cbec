package io.attune.engine.optim;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Learning-rate schedules with the names, options and formulas of transformers' {@code
 * get_scheduler}.
 *
 * <p>Immutable.
 */
public final class LearningRate {
  public static final LearningRate LINEAR = named("linear", Map.of());

  /** Options of {@code lr_scheduler_kwargs}, with what they are where nothing says. */
  private enum Kind {
    CONSTANT(Map.of()),
    CONSTANT_WITH_WARMUP(Map.of()),
    LINEAR(Map.of()),
    COSINE(Map.of("num_cycles", 0.5)),
    COSINE_WITH_MIN_LR(Map.of("num_cycles", 0.5, "min_lr", NONE, "min_lr_rate", NONE)),
    WARMUP_STABLE_DECAY(
        Map.of(
            "num_cycles",
            0.5,
            "min_lr_ratio",
            0.0,
            "num_decay_steps",
            NONE,
            "num_stable_steps",
            NONE));

    private final Map<String, Double> numbers;

    Kind(Map<String, Double> numbers) {
      this.numbers = numbers;
    }

    /** Whether the option is a {@link Curve}. */
    boolean hasCurve(String option) {
      return this == WARMUP_STABLE_DECAY
          && (option.equals("warmup_type") || option.equals("decay_type"));
    }

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** How {@code warmup_stable_decay} rises and falls. */
  private enum Curve {
    LINEAR,
    COSINE,
    ONE_MINUS_SQRT;

    static Curve named(String option, String name) {
      return switch (name) {
        case "linear" -> LINEAR;
        case "cosine" -> COSINE;
        case "1-sqrt" -> ONE_MINUS_SQRT;
        default ->
            throw new IllegalArgumentException(
                "'" + option + "' is " + name + "; it is linear, cosine or 1-sqrt");
      };
    }

    double rise(double progress) {
      return switch (this) {
        case LINEAR -> progress;
        case COSINE -> 0.5 * (1 - Math.cos(Math.PI * progress));
        case ONE_MINUS_SQRT -> 1 - Math.sqrt(1 - progress);
      };
    }

    double fall(double progress, double cycles) {
      return switch (this) {
        case LINEAR -> 1 - progress;
        case COSINE -> LearningRate.cosine(progress, cycles);
        case ONE_MINUS_SQRT -> 1 - Math.sqrt(progress);
      };
    }
  }

  /** A number that is not set. */
  private static final double NONE = -1;

  private final Kind kind;
  private final Map<String, Double> numbers;
  private final Curve warmupCurve;
  private final Curve decayCurve;

  private LearningRate(
      Kind kind, Map<String, Double> numbers, Curve warmupCurve, Curve decayCurve) {
    this.kind = kind;
    this.numbers = numbers;
    this.warmupCurve = warmupCurve;
    this.decayCurve = decayCurve;
  }

  /**
   * The schedule that transformers calls {@code name}.
   *
   * @param options its {@code lr_scheduler_kwargs}
   */
  public static LearningRate named(String name, Map<String, String> options) {
    Kind kind =
        Arrays.stream(Kind.values())
            .filter(each -> each.toString().equals(name))
            .findFirst()
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "'lr_scheduler_type' is "
                            + name
                            + "; implemented are "
                            + Arrays.stream(Kind.values())
                                .map(Kind::toString)
                                .collect(Collectors.joining(", "))));
    Map<String, Double> numbers = new TreeMap<>(kind.numbers);
    Curve warmup = Curve.LINEAR;
    Curve decay = Curve.COSINE;
    for (Map.Entry<String, String> option : options.entrySet()) {
      String key = option.getKey();
      if (kind.hasCurve(key)) {
        Curve curve = Curve.named(key, option.getValue());
        warmup = key.equals("warmup_type") ? curve : warmup;
        decay = key.equals("decay_type") ? curve : decay;
      } else if (kind.numbers.containsKey(key)) {
        numbers.put(key, number(key, option.getValue()));
      } else {
        throw new IllegalArgumentException(
            "'lr_scheduler_kwargs' has '"
                + key
                + "', which schedule "
                + name
                + " has not; it takes "
                + known(kind));
      }
    }
    LearningRate schedule = new LearningRate(kind, Map.copyOf(numbers), warmup, decay);
    schedule.validate();
    return schedule;
  }

  private static String known(Kind kind) {
    List<String> names = new ArrayList<>(new TreeSet<>(kind.numbers.keySet()));
    if (kind == Kind.WARMUP_STABLE_DECAY) {
      names.addAll(List.of("warmup_type", "decay_type"));
    }
    return names.isEmpty() ? "none" : String.join(", ", names);
  }

  private static double number(String key, String text) {
    try {
      double value = Double.parseDouble(text);
      if (value >= 0 && Double.isFinite(value)) {
        return value;
      }
    } catch (NumberFormatException e) {
      // Refused below, like a number that is out of range.
    }
    throw new IllegalArgumentException(
        "'lr_scheduler_kwargs' has '" + key + "': " + text + ", which must be a number from 0 up");
  }

  private void validate() {
    if (kind == Kind.COSINE_WITH_MIN_LR && isSet("min_lr") == isSet("min_lr_rate")) {
      throw new IllegalArgumentException(
          "schedule cosine_with_min_lr needs 'min_lr' or 'min_lr_rate' in 'lr_scheduler_kwargs',"
              + " not both");
    }
    if (kind == Kind.WARMUP_STABLE_DECAY && !isSet("num_decay_steps")) {
      throw new IllegalArgumentException(
          "schedule warmup_stable_decay needs 'num_decay_steps' in 'lr_scheduler_kwargs'");
    }
  }

  private boolean isSet(String key) {
    return numbers.get(key) >= 0;
  }

  /**
   * What every learning rate is multiplied by.
   *
   * @param peak the {@code learning_rate} setting
   * @param step optimizer steps done so far: 0 for the first
   * @param warmup steps that rise to the peak
   * @param total steps of the whole run
   */
  public double factor(double peak, int step, int warmup, int total) {
    if (kind == Kind.WARMUP_STABLE_DECAY) {
      return stable(step, warmup, total);
    }
    if (kind == Kind.CONSTANT) {
      return 1;
    }
    if (step < warmup) {
      return (double) step / Math.max(1, warmup);
    }
    double progress = (double) (step - warmup) / Math.max(1, total - warmup);
    return switch (kind) {
      case LINEAR -> Math.max(0, (double) (total - step) / Math.max(1, total - warmup));
      case COSINE -> Math.max(0, cosine(progress, numbers.get("num_cycles")));
      case COSINE_WITH_MIN_LR -> {
        double least =
            isSet("min_lr")
                ? numbers.get("min_lr") / Math.max(peak, Double.MIN_NORMAL)
                : numbers.get("min_lr_rate");
        double factor = cosine(progress, numbers.get("num_cycles"));
        yield Math.max(0, factor * (1 - least) + least);
      }
      default -> 1;
    };
  }

  private double stable(int step, int warmup, int total) {
    double least = numbers.get("min_lr_ratio");
    int decay = numbers.get("num_decay_steps").intValue();
    int stable =
        isSet("num_stable_steps")
            ? numbers.get("num_stable_steps").intValue()
            : total - warmup - decay;
    if (step < warmup) {
      double factor = warmupCurve.rise((double) step / Math.max(1, warmup));
      return Math.max(0, factor * (1 - least) + least);
    }
    if (step < warmup + stable) {
      return 1;
    }
    if (step < warmup + stable + decay) {
      double progress = (double) (step - warmup - stable) / Math.max(1, decay);
      double factor = decayCurve.fall(progress, numbers.get("num_cycles"));
      return Math.max(0, factor * (1 - least) + least);
    }
    return least;
  }

  private static double cosine(double progress, double cycles) {
    return 0.5 * (1 + Math.cos(Math.PI * cycles * 2 * progress));
  }

  @Override
  public String toString() {
    return kind.toString();
  }
}
