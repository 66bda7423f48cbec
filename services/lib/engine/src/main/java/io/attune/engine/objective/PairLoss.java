package io.attune.engine.objective;

import static io.attune.engine.objective.Logistic.logSigmoid;
import static io.attune.engine.objective.Logistic.sigmoid;

import java.util.List;

/**
 * A loss of one pair by its log-ratios: how much likelier the policy finds the chosen answer than
 * the reference does (c), and the rejected one (r). Named as in trl; x stands for beta (c - r).
 */
public sealed interface PairLoss extends DpoLoss {

  /** The loss and its derivatives by the two log-ratios. */
  Term of(LogRatios ratios);

  @Override
  default List<Term> of(List<PairLogProbs> pairs) {
    return pairs.stream().map(pair -> of(LogRatios.of(pair))).toList();
  }

  /**
   * {@code -right log sigmoid(x) - wrong log sigmoid(-x)}: the price of an order that is believed
   * to be right and wrong so much.
   */
  private static Term logistic(double beta, double margin, double right, double wrong) {
    double x = beta * margin;
    return Term.ofMargin(
        -right * logSigmoid(x) - wrong * logSigmoid(-x),
        beta * (wrong * sigmoid(x) - right * sigmoid(-x)));
  }

  /** {@code sigmoid}: {@code -log sigmoid(x)}. Rafailov et al., arXiv 2305.18290. */
  record Sigmoid(double beta) implements PairLoss {
    public Sigmoid {
      Requirement.beta(beta);
    }

    @Override
    public Term of(LogRatios ratios) {
      return logistic(beta, ratios.margin(), 1, 0);
    }
  }

  /**
   * {@code cdpo}, conservative DPO: {@code -(1 - e) log sigmoid(x) - e log sigmoid(-x)}. Mitchell,
   * "A note on DPO with noisy preferences" (2023).
   *
   * <p>trl once took {@code label_smoothing} of {@code sigmoid} for this; trl 1.13 leaves it aside
   * there, so here the loss has a name of its own.
   *
   * @param labelSmoothing e: how often people's choices are believed to be the wrong way round
   */
  record Conservative(double beta, double labelSmoothing) implements PairLoss {
    public Conservative {
      Requirement.beta(beta);
      Requirement.smoothing(labelSmoothing, 0, 1);
    }

    @Override
    public Term of(LogRatios ratios) {
      return logistic(beta, ratios.margin(), 1 - labelSmoothing, labelSmoothing);
    }
  }

  /**
   * {@code robust}: the loss whose expectation over flipped choices is that of the right ones,
   * {@code (-(1 - e) log sigmoid(x) + e log sigmoid(-x)) / (1 - 2 e)}. Chowdhury et al., arXiv
   * 2403.00409.
   *
   * @param labelSmoothing e: how often choices are flipped
   */
  record Robust(double beta, double labelSmoothing) implements PairLoss {
    public Robust {
      Requirement.beta(beta);
      Requirement.smoothing(labelSmoothing, 0, 0.5);
    }

    @Override
    public Term of(LogRatios ratios) {
      double scale = 1 / (1 - 2 * labelSmoothing);
      return logistic(beta, ratios.margin(), scale * (1 - labelSmoothing), -scale * labelSmoothing);
    }
  }

  /** {@code hinge}: {@code max(0, 1 - x)}. Zhao et al. (SLiC), arXiv 2305.10425. */
  record Hinge(double beta) implements PairLoss {
    public Hinge {
      Requirement.beta(beta);
    }

    @Override
    public Term of(LogRatios ratios) {
      double lacking = 1 - beta * ratios.margin();
      return Term.ofMargin(Math.max(0, lacking), lacking > 0 ? -beta : 0);
    }
  }

  /**
   * {@code ipo}, {@link PerToken}: {@code (c - r - 1 / (2 beta))^2}. Azar et al., arXiv 2310.12036,
   * equation 17.
   *
   * @param beta the paper's tau
   */
  record Identity(double beta) implements PairLoss {
    public Identity {
      Requirement.beta(beta);
    }

    @Override
    public Term of(LogRatios ratios) {
      double error = ratios.margin() - 1 / (2 * beta);
      return Term.ofMargin(error * error, 2 * error);
    }
  }

  /**
   * {@code exo_pair}: the reverse Kullback-Leibler divergence from the softened choice, {@code
   * sigmoid(x) (log sigmoid(x) - log(1 - e)) + sigmoid(-x) (log sigmoid(-x) - log e)}. Ji et al.,
   * arXiv 2402.00856, equation 16.
   *
   * @param labelSmoothing e, above 0; the paper has 1e-3
   */
  record Exact(double beta, double labelSmoothing) implements PairLoss {
    public Exact {
      Requirement.beta(beta);
      Requirement.that(
          labelSmoothing > 0 && labelSmoothing < 1,
          "label_smoothing",
          labelSmoothing,
          "be in (0, 1) for exo_pair, as 1e-3");
    }

    @Override
    public Term of(LogRatios ratios) {
      double x = beta * ratios.margin();
      double right = logSigmoid(x) - Math.log1p(-labelSmoothing);
      double wrong = logSigmoid(-x) - Math.log(labelSmoothing);
      return Term.ofMargin(
          sigmoid(x) * right + sigmoid(-x) * wrong, beta * Logistic.slope(x) * (right - wrong));
    }
  }

  /**
   * {@code nca_pair}: {@code -log sigmoid(beta c) - (log sigmoid(-beta c) + log sigmoid(-beta r)) /
   * 2}. Chen et al., arXiv 2402.05369.
   */
  record NoiseContrastive(double beta) implements PairLoss {
    public NoiseContrastive {
      Requirement.beta(beta);
    }

    @Override
    public Term of(LogRatios ratios) {
      double a = beta * ratios.chosen();
      double b = beta * ratios.rejected();
      return new Term(
          -logSigmoid(a) - (logSigmoid(-a) + logSigmoid(-b)) / 2,
          beta * (sigmoid(a) / 2 - sigmoid(-a)),
          beta * sigmoid(b) / 2);
    }
  }

  /**
   * {@code bco_pair}: {@code -log sigmoid(beta c) - log sigmoid(-beta r)}, as trl has it: without
   * the running mean of rewards. Jung et al., arXiv 2404.04656.
   */
  record BinaryClassifier(double beta) implements PairLoss {
    public BinaryClassifier {
      Requirement.beta(beta);
    }

    @Override
    public Term of(LogRatios ratios) {
      double a = beta * ratios.chosen();
      double b = beta * ratios.rejected();
      return new Term(-logSigmoid(a) - logSigmoid(-b), -beta * sigmoid(-a), beta * sigmoid(b));
    }
  }

  /**
   * {@code sppo_hard}: {@code (c - 1 / (2 beta))^2 + (r + 1 / (2 beta))^2}, the chosen answer
   * winning for certain. Wu et al., arXiv 2405.00675, equation 4.7.
   */
  record SelfPlay(double beta) implements PairLoss {
    public SelfPlay {
      Requirement.beta(beta);
    }

    @Override
    public Term of(LogRatios ratios) {
      double winner = ratios.chosen() - 0.5 / beta;
      double loser = ratios.rejected() + 0.5 / beta;
      return new Term(winner * winner + loser * loser, 2 * winner, 2 * loser);
    }
  }

  /**
   * {@code apo_zero}: {@code sigmoid(-beta c) + sigmoid(beta r)}, for chosen answers that are
   * better than the model's own. D'Oosterlinck et al., arXiv 2408.06266, equation 7.
   */
  record AnchoredZero(double beta) implements PairLoss {
    public AnchoredZero {
      Requirement.beta(beta);
    }

    @Override
    public Term of(LogRatios ratios) {
      double a = beta * ratios.chosen();
      double b = beta * ratios.rejected();
      return new Term(
          sigmoid(-a) + sigmoid(b), -beta * Logistic.slope(a), beta * Logistic.slope(b));
    }
  }

  /**
   * {@code apo_down}: {@code sigmoid(beta c) + sigmoid(-x)}, for chosen answers that are worse than
   * the model's own. Equation 8 there.
   */
  record AnchoredDown(double beta) implements PairLoss {
    public AnchoredDown {
      Requirement.beta(beta);
    }

    @Override
    public Term of(LogRatios ratios) {
      double a = beta * ratios.chosen();
      double x = beta * ratios.margin();
      double slope = beta * Logistic.slope(x);
      return new Term(sigmoid(a) + sigmoid(-x), beta * Logistic.slope(a) - slope, slope);
    }
  }

  /**
   * {@code discopop}: between a logistic and an exponential loss, by m = sigmoid(x / tau): {@code
   * -(1 - m) log sigmoid(x) + m e^-x}. Lu et al., arXiv 2406.08414, equation 5.
   *
   * @param tau how sharply it goes from one to the other; above 1 nothing would bound the loss of a
   *     pair in the wrong order
   */
  record Discovered(double beta, double tau) implements PairLoss {
    public Discovered {
      Requirement.beta(beta);
      Requirement.that(tau > 0 && tau <= 1, "discopop_tau", tau, "be in (0, 1]");
    }

    @Override
    public Term of(LogRatios ratios) {
      double x = beta * ratios.margin();
      double t = x / tau;
      // e^-x alone overflows where m, which it is multiplied with, vanishes.
      double exponential = Math.exp(-x + logSigmoid(t));
      double change = Math.exp(-x + logSigmoid(t) + logSigmoid(-t)) / tau;
      double slope =
          -sigmoid(-x) * sigmoid(-t)
              + logSigmoid(x) * Logistic.slope(t) / tau
              - exponential
              + change;
      return Term.ofMargin(-logSigmoid(x) * sigmoid(-t) + exponential, beta * slope);
    }
  }

  /**
   * Another loss, of log-ratios per token: long answers count no more than short ones. {@code
   * sigmoid_norm} (Meng et al., arXiv 2405.14734, with a reference) and {@code ipo}.
   */
  record PerToken(PairLoss loss) implements PairLoss {
    @Override
    public Term of(LogRatios ratios) {
      int chosen = ratios.chosenTokens();
      int rejected = ratios.rejectedTokens();
      Term term = loss.of(ratios.with(ratios.chosen() / chosen, ratios.rejected() / rejected));
      return new Term(term.value(), term.chosen() / chosen, term.rejected() / rejected);
    }
  }

  /**
   * Another loss under another divergence from the reference than the reverse Kullback-Leibler one:
   * log-ratios go through the divergence's derivative first. Wang et al., arXiv 2309.16240.
   */
  record Diverging(Divergence divergence, PairLoss loss) implements PairLoss {
    @Override
    public Term of(LogRatios ratios) {
      double chosen = ratios.chosen();
      double rejected = ratios.rejected();
      Term term = loss.of(ratios.with(divergence.score(chosen), divergence.score(rejected)));
      return new Term(
          term.value(),
          term.chosen() * divergence.slope(chosen),
          term.rejected() * divergence.slope(rejected));
    }
  }
}
