package io.attune.engine.train;

import io.attune.engine.objective.Divergence;
import io.attune.engine.objective.Dpo;
import io.attune.engine.objective.DpoLoss;
import io.attune.engine.objective.DpoLosses;
import io.attune.engine.objective.Kto;
import io.attune.engine.objective.Orpo;
import io.attune.engine.objective.SimPo;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Settings that only one objective knows, under trl's names and with its defaults. Those of other
 * objectives than the run's own are defaults too: nothing reads them, and setting them is refused.
 */
public record ObjectiveSettings(
    Dpo.Config dpo, Orpo.Config orpo, SimPo.Config simPo, Kto.Config kto, RewardSettings reward) {

  /** Objectives that learn what people prefer. */
  public static final List<String> PREFERENCES = List.of("dpo", "orpo", "simpo", "kto", "reward");

  /**
   * @param batch rows that are read at once
   */
  static ObjectiveSettings parse(Parameters in, String objective, int batch) {
    return new ObjectiveSettings(
        objective.equals("dpo") ? dpo(in) : Dpo.Config.DEFAULT,
        objective.equals("orpo") ? new Orpo.Config(in.number("beta", 0.1)) : Orpo.Config.DEFAULT,
        objective.equals("simpo") ? simPo(in) : SimPo.Config.DEFAULT,
        objective.equals("kto") ? kto(in, batch) : Kto.Config.DEFAULT,
        objective.equals("reward") ? RewardSettings.parse(in) : RewardSettings.DEFAULT);
  }

  private static Dpo.Config dpo(Parameters in) {
    double beta = in.number("beta", 0.1);
    List<String> types = in.list("loss_type", List.of("sigmoid"));
    // Asked for only where it is read, so that it is refused elsewhere.
    double tau = types.contains("discopop") ? in.number("discopop_tau", 0.05) : 0.05;
    DpoLosses losses = new DpoLosses(beta, in.number("label_smoothing", 0), tau, divergence(in));
    DpoLoss loss = losses.named(types, in.numbers("loss_weights", List.of()));
    return new Dpo.Config(beta, loss, in.flag("reference_free", false));
  }

  /** Null for the reverse Kullback-Leibler divergence, under which log-ratios stay as they are. */
  private static @Nullable Divergence divergence(Parameters in) {
    String type = in.text("f_divergence_type", "reverse_kl");
    return switch (type) {
      case "reverse_kl" -> null;
      case "forward_kl" -> new Divergence.Alpha(0);
      case "js_divergence" -> new Divergence.JensenShannon();
      case "alpha_divergence" -> new Divergence.Alpha(in.number("f_alpha_divergence_coef", 0.5));
      default ->
          throw new IllegalArgumentException(
              "'f_divergence_type' is "
                  + type
                  + "; it is reverse_kl, forward_kl, js_divergence or alpha_divergence");
    };
  }

  private static SimPo.Config simPo(Parameters in) {
    SimPo.Config absent = SimPo.Config.DEFAULT;
    return new SimPo.Config(
        in.number("beta", absent.beta()),
        in.number("simpo_gamma", absent.gamma()),
        in.number("label_smoothing", absent.labelSmoothing()),
        in.number("cpo_alpha", absent.cpoAlpha()));
  }

  private static Kto.Config kto(Parameters in, int batch) {
    Kto.Config config =
        new Kto.Config(
            in.number("beta", 0.1),
            ktoLoss(in.text("loss_type", "kto")),
            in.number("desirable_weight", 1),
            in.number("undesirable_weight", 1));
    if (config.usesMismatched() && batch < 2) {
      throw new IllegalArgumentException(
          "'per_device_train_batch_size' is "
              + batch
              + "; kto needs at least 2 rows at once, by whose answers it measures how far the"
              + " policy has moved on the whole (or 'loss_type' apo_zero_unpaired, which does not)");
    }
    return config;
  }

  private static Kto.LossType ktoLoss(String name) {
    for (Kto.LossType type : Kto.LossType.values()) {
      if (name.equals(type.name().toLowerCase(Locale.ROOT))) {
        return type;
      }
    }
    throw new IllegalArgumentException(
        "'loss_type' is "
            + name
            + "; for kto there are "
            + Arrays.stream(Kto.LossType.values())
                .map(type -> type.name().toLowerCase(Locale.ROOT))
                .collect(Collectors.joining(", ")));
  }
}
