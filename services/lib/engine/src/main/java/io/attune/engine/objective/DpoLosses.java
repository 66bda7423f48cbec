package io.attune.engine.objective;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The losses of {@link Dpo} by trl's names.
 *
 * @param beta how strongly the policy is held to the reference
 * @param labelSmoothing how often choices are believed to be the wrong way round; of those that
 *     have it
 * @param discopopTau of {@code discopop}
 * @param divergence of those that compare scores; null for the reverse Kullback-Leibler divergence
 */
public record DpoLosses(
    double beta, double labelSmoothing, double discopopTau, @Nullable Divergence divergence) {
  private static final List<String> SMOOTHED =
      List.of("cdpo", "robust", "exo_pair", "aot", "aot_unpaired");

  public DpoLosses {
    Requirement.beta(beta);
  }

  /** With trl's defaults. */
  public static DpoLosses ofBeta(double beta) {
    return new DpoLosses(beta, 0, 0.05, null);
  }

  /**
   * A loss, or the weighted sum of several.
   *
   * @param types names as in trl, and {@code cdpo}
   * @param weights one for each; empty for 1
   * @throws IllegalArgumentException for a name that is none, and settings that no loss reads
   */
  public DpoLoss named(List<String> types, List<Double> weights) {
    List<DpoLoss> losses = types.stream().map(this::named).toList();
    if (losses.isEmpty()) {
      throw new IllegalArgumentException("'loss_type' names no loss; there are " + all());
    }
    if (labelSmoothing != 0 && types.stream().noneMatch(SMOOTHED::contains)) {
      throw new IllegalArgumentException(
          "'label_smoothing' is "
              + labelSmoothing
              + ", but no 'loss_type' of "
              + types
              + " reads it; it is for "
              + String.join(", ", SMOOTHED)
              + " (cdpo is sigmoid with it)");
    }
    if (losses.size() == 1 && weights.isEmpty()) {
      return losses.get(0);
    }
    List<Double> each =
        weights.isEmpty() ? IntStream.range(0, losses.size()).mapToObj(i -> 1.0).toList() : weights;
    return new DpoLoss.Sum(losses, each);
  }

  private DpoLoss named(String type) {
    Supplier<PairLoss> ofScores = ofScores().get(type);
    if (ofScores != null) {
      PairLoss loss = ofScores.get();
      return divergence == null ? loss : new PairLoss.Diverging(divergence, loss);
    }
    Supplier<DpoLoss> loss = others().get(type);
    if (loss == null) {
      throw new IllegalArgumentException("'loss_type' is " + type + "; for dpo there are " + all());
    }
    if (divergence != null && !type.equals("sft")) {
      throw new IllegalArgumentException(
          "'f_divergence_type' does not fit loss_type "
              + type
              + "; it fits "
              + String.join(", ", ofScores().keySet()));
    }
    return loss.get();
  }

  /** Those that compare the scores of the two answers, which a divergence may change. */
  private Map<String, Supplier<PairLoss>> ofScores() {
    Map<String, Supplier<PairLoss>> losses = new LinkedHashMap<>();
    losses.put("sigmoid", () -> new PairLoss.Sigmoid(beta));
    losses.put("cdpo", () -> new PairLoss.Conservative(beta, labelSmoothing));
    losses.put("robust", () -> new PairLoss.Robust(beta, labelSmoothing));
    losses.put("hinge", () -> new PairLoss.Hinge(beta));
    losses.put("ipo", () -> new PairLoss.PerToken(new PairLoss.Identity(beta)));
    losses.put("exo_pair", () -> new PairLoss.Exact(beta, labelSmoothing));
    losses.put("discopop", () -> new PairLoss.Discovered(beta, discopopTau));
    losses.put("sigmoid_norm", () -> new PairLoss.PerToken(new PairLoss.Sigmoid(beta)));
    return losses;
  }

  private Map<String, Supplier<DpoLoss>> others() {
    Map<String, Supplier<DpoLoss>> losses = new LinkedHashMap<>();
    losses.put("nca_pair", () -> new PairLoss.NoiseContrastive(beta));
    losses.put("bco_pair", () -> new PairLoss.BinaryClassifier(beta));
    losses.put("sppo_hard", () -> new PairLoss.SelfPlay(beta));
    losses.put("apo_zero", () -> new PairLoss.AnchoredZero(beta));
    losses.put("apo_down", () -> new PairLoss.AnchoredDown(beta));
    losses.put("aot", () -> new DpoLoss.OptimalTransport(beta, labelSmoothing, true));
    losses.put("aot_unpaired", () -> new DpoLoss.OptimalTransport(beta, labelSmoothing, false));
    losses.put("sft", DpoLoss.ChosenLikelihood::new);
    return losses;
  }

  private String all() {
    return String.join(", ", ofScores().keySet()) + ", " + String.join(", ", others().keySet());
  }
}
