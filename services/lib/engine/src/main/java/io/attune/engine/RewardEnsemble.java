package io.attune.engine;

import io.attune.engine.EngineException.Reason;
import java.util.ArrayList;
import java.util.List;

/**
 * Several reward models that were trained alike from other seeds or other rows: their mean is the
 * score, and by how much they disagree is how little is known of an answer (Lakshminarayanan et
 * al., arXiv 1612.01474; Coste et al., arXiv 2310.02743). Thread-safe.
 */
public final class RewardEnsemble implements AutoCloseable {
  private final List<RewardModel> members;

  /**
   * A score and its uncertainty.
   *
   * @param mean of the members' scores
   * @param std their standard deviation, over all members; 0 of one alone
   */
  public record Score(double mean, double std) {}

  /**
   * @param members at least one; closed with the ensemble
   */
  public RewardEnsemble(List<RewardModel> members) {
    if (members.isEmpty()) {
      throw new EngineException(Reason.INVALID_ARGUMENT, "an ensemble needs a reward model");
    }
    this.members = List.copyOf(members);
  }

  public int size() {
    return members.size();
  }

  /**
   * Scores answers by every member.
   *
   * @param normalised whether each member's scores are first brought to mean 0 and deviation 1 on
   *     its training rows: those of models from pairs have no common zero and unit
   */
  public List<Score> score(List<RewardModel.Answer> answers, boolean normalised) {
    List<double[]> all = new ArrayList<>();
    for (RewardModel member : members) {
      double[] scores = member.scoreAnswers(answers);
      for (int i = 0; normalised && i < scores.length; i++) {
        scores[i] = member.scale().normalised(scores[i]);
      }
      all.add(scores);
    }
    List<Score> result = new ArrayList<>();
    for (int i = 0; i < answers.size(); i++) {
      double mean = 0;
      for (double[] scores : all) {
        mean += scores[i] / all.size();
      }
      double squares = 0;
      for (double[] scores : all) {
        squares += (scores[i] - mean) * (scores[i] - mean) / all.size();
      }
      result.add(new Score(mean, Math.sqrt(squares)));
    }
    return result;
  }

  @Override
  public void close() {
    members.forEach(RewardModel::close);
  }
}
