package io.attune.engine.objective;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * What the log-probabilities of a micro-batch's pairs cost. Most losses see one pair at a time:
 * {@link PairLoss}.
 */
public interface DpoLoss {

  /**
   * What a pair costs.
   *
   * @param chosen derivative by the log-probability of the chosen answer under the policy
   * @param rejected derivative by that of the rejected one
   */
  record Term(double value, double chosen, double rejected) {
    static final Term ZERO = new Term(0, 0, 0);

    /** Of a function of the margin, chosen less rejected. */
    static Term ofMargin(double value, double slope) {
      return new Term(value, slope, -slope);
    }

    Term plus(Term other, double weight) {
      return new Term(
          value + weight * other.value,
          chosen + weight * other.chosen,
          rejected + weight * other.rejected);
    }
  }

  /** A term for each pair; the loss is their mean. */
  List<Term> of(List<PairLogProbs> pairs);

  /** Whether a pair's term knows nothing of the other pairs. */
  default boolean seesPairsAlone() {
    return true;
  }

  /**
   * Several losses at once, as in mixed preference optimisation (arXiv 2411.10442).
   *
   * @param weights one for each loss
   */
  record Sum(List<DpoLoss> losses, List<Double> weights) implements DpoLoss {
    public Sum {
      losses = List.copyOf(losses);
      weights = List.copyOf(weights);
      if (losses.size() != weights.size()) {
        throw new IllegalArgumentException(
            "'loss_weights' has "
                + weights.size()
                + " numbers and 'loss_type' "
                + losses.size()
                + " names; each loss needs one weight");
      }
      for (double weight : weights) {
        Requirement.that(Double.isFinite(weight), "loss_weights", weights, "have finite numbers");
      }
    }

    @Override
    public boolean seesPairsAlone() {
      return losses.stream().allMatch(DpoLoss::seesPairsAlone);
    }

    @Override
    public List<Term> of(List<PairLogProbs> pairs) {
      List<Term> sums = new ArrayList<>(pairs.stream().map(pair -> Term.ZERO).toList());
      for (int l = 0; l < losses.size(); l++) {
        List<Term> terms = losses.get(l).of(pairs);
        for (int i = 0; i < sums.size(); i++) {
          sums.set(i, sums.get(i).plus(terms.get(i), weights.get(l)));
        }
      }
      return sums;
    }
  }

  /**
   * Alignment by optimal transport: not each pair but the distributions over the batch are ordered,
   * so that what is sorted is compared rank by rank (Melnyk et al., arXiv 2406.05882).
   *
   * <pre>d = margins of the policy, sorted, less those of the reference, sorted (aot)
   * d = ratios of the chosen answers, sorted, less those of the rejected ones, sorted (aot_unpaired)
   * loss = -(1 - e) log sigmoid(beta d) - e log sigmoid(-beta d)</pre>
   *
   * <p>Sees a micro-batch: with one pair in it, it is {@link PairLoss.Conservative}.
   *
   * @param paired whether chosen and rejected answers are to one prompt
   */
  record OptimalTransport(double beta, double labelSmoothing, boolean paired) implements DpoLoss {
    public OptimalTransport {
      Requirement.beta(beta);
      Requirement.smoothing(labelSmoothing, 0, 1);
    }

    @Override
    public boolean seesPairsAlone() {
      return false;
    }

    @Override
    public List<Term> of(List<PairLogProbs> pairs) {
      PairLoss loss = new PairLoss.Conservative(beta, labelSmoothing);
      double[] high = new double[pairs.size()];
      double[] low = new double[pairs.size()];
      for (int i = 0; i < high.length; i++) {
        PairLogProbs pair = pairs.get(i);
        high[i] = paired ? pair.policyChosen() - pair.policyRejected() : pair.chosenRatio();
        low[i] = paired ? pair.referenceChosen() - pair.referenceRejected() : pair.rejectedRatio();
      }
      int[] highest = placesByValue(high);
      int[] lowest = placesByValue(low);
      Term[] terms = new Term[high.length];
      Arrays.fill(terms, Term.ZERO);
      for (int rank = 0; rank < terms.length; rank++) {
        int above = highest[rank];
        int below = paired ? above : lowest[rank];
        Term term = loss.of(LogRatios.ofMargin(high[above] - low[lowest[rank]]));
        terms[above] = terms[above].plus(new Term(term.value(), term.chosen(), 0), 1);
        terms[below] = terms[below].plus(new Term(0, 0, term.rejected()), 1);
      }
      return List.of(terms);
    }

    private static int[] placesByValue(double[] values) {
      return IntStream.range(0, values.length)
          .boxed()
          .sorted(Comparator.comparingDouble(i -> values[i]))
          .mapToInt(i -> i)
          .toArray();
    }
  }

  /**
   * Supervised fine-tuning on the chosen answers, to be mixed with other losses: the mean over all
   * their tokens in the micro-batch of -log p.
   */
  record ChosenLikelihood() implements DpoLoss {
    @Override
    public List<Term> of(List<PairLogProbs> pairs) {
      double tokens = pairs.stream().mapToInt(PairLogProbs::chosenTokens).sum();
      double each = pairs.size() / tokens;
      return pairs.stream().map(pair -> new Term(-each * pair.policyChosen(), -each, 0)).toList();
    }
  }
}
