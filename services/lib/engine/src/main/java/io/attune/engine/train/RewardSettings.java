package io.attune.engine.train;

import io.attune.engine.objective.RewardModeling;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Settings of reward models.
 *
 * @param pairs how they are learnt from pairs
 * @param loss how from scores; null where nothing is said
 * @param levels of an ordinal scale; empty where every score of the rows is one
 */
public record RewardSettings(
    RewardModeling.Config pairs, @Nullable ScoreLoss loss, List<Double> levels) {
  public static final RewardSettings DEFAULT =
      new RewardSettings(RewardModeling.Config.DEFAULT, null, List.of());

  /** What a score costs; {@code loss_type}, in lower case. */
  public enum ScoreLoss {
    /** Least squares. */
    MSE,
    /** Conditional ordinal regression. */
    CORN
  }

  public RewardSettings {
    levels = List.copyOf(levels);
    if (!levels.isEmpty() && loss != ScoreLoss.CORN) {
      throw new IllegalArgumentException(
          "'levels' are those of an ordinal scale; set loss_type to corn");
    }
  }

  static RewardSettings parse(Parameters in) {
    return new RewardSettings(
        new RewardModeling.Config(in.number("center_rewards_coefficient", 0)),
        loss(in.text("loss_type", "")),
        in.numbers("levels", List.of()));
  }

  private static @Nullable ScoreLoss loss(String name) {
    for (ScoreLoss loss : ScoreLoss.values()) {
      if (loss.name().toLowerCase(Locale.ROOT).equals(name)) {
        return loss;
      }
    }
    if (name.isEmpty()) {
      return null;
    }
    throw new IllegalArgumentException(
        "'loss_type' is " + name + "; for rows with a score it is mse or corn");
  }
}
