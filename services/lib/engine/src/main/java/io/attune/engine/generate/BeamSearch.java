package io.attune.engine.generate;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.generate.BeamSearchParameters.EarlyStopping;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * The search for one prompt: which texts are followed, and which are whole. It asks for nothing but
 * the logits after each followed text, so that the caller may step several searches together.
 * Single-threaded.
 *
 * <p>Scores are in single precision and combined in the reference's order, since near ties decide
 * which text is followed.
 */
public final class BeamSearch {
  /**
   * Below every log-probability: what the reference gives to texts that are out of the question.
   */
  private static final float OUT = -1e9f;

  private final BeamSearchParameters parameters;
  private final TokenConstraints constraints;

  /** [B], likeliest first. */
  private List<Beam> running = new ArrayList<>();

  /** The best whole texts, [B] at most, best first; scores have their length penalty. */
  private List<Beam> finished = new ArrayList<>();

  private int[] origins;
  private int length = 1;
  private boolean improvable = true;
  private boolean full;

  /**
   * @param ids the first {@code length} are the text, the start token among them
   * @param origin the beam that it goes on from
   */
  @SuppressWarnings("ArrayRecordComponent") // written once
  private record Beam(int[] ids, float score, int origin) {}

  /** A beam and a token after it. */
  private record Candidate(int beam, int token, float score) {}

  /**
   * @param startToken what every text begins with
   */
  public BeamSearch(BeamSearchParameters parameters, TokenConstraints constraints, int startToken) {
    this.parameters = parameters;
    this.constraints = constraints;
    int beams = parameters.numBeams();
    for (int i = 0; i < beams; i++) {
      // All beams are the same text at first; only one may be followed.
      running.add(new Beam(new int[] {startToken}, i == 0 ? 0 : OUT, i));
    }
    this.origins = running.stream().mapToInt(Beam::origin).toArray();
  }

  /** Whether no further logits are wanted. */
  public boolean done() {
    return full || !improvable;
  }

  /** The last token of each followed text, [B]. */
  public int[] lastTokens() {
    return running.stream().mapToInt(beam -> beam.ids()[length - 1]).toArray();
  }

  /** For each followed text, which one of the step before it goes on from, [B]. */
  public int[] origins() {
    return origins.clone();
  }

  /** Tokens of each followed text, the start token among them. */
  public int length() {
    return length;
  }

  /**
   * Goes on by a token.
   *
   * @param logits [B][V] after each followed text, likeliest first as {@link #lastTokens} has them;
   *     changed in place
   * @throws EngineException DIVERGED if they are no finite numbers
   */
  public void advance(float[][] logits) {
    int beams = parameters.numBeams();
    List<Candidate> candidates = candidates(logits);
    List<Beam> next = new ArrayList<>();
    List<Beam> ended = new ArrayList<>();
    for (int rank = 0; rank < candidates.size(); rank++) {
      Candidate candidate = candidates.get(rank);
      Beam from = running.get(candidate.beam());
      int[] ids = Arrays.copyOf(from.ids(), length + 1);
      ids[length] = candidate.token();
      if (!constraints.ends(candidate.token(), length + 1)) {
        next.add(new Beam(ids, candidate.score(), candidate.beam()));
      } else {
        if (rank < beams) { // the others are there only so that enough texts can be followed
          ended.add(new Beam(ids, normalised(candidate.score(), length), candidate.beam()));
        }
        next.add(new Beam(ids, candidate.score() + OUT, candidate.beam()));
      }
    }
    boolean stopped = candidates.stream().allMatch(c -> constraints.ends(c.token(), length + 1));
    if (!done()) {
      finished.addAll(ended);
      finished.sort(Comparator.comparingDouble((Beam beam) -> -beam.score())); // stable
      finished = new ArrayList<>(finished.subList(0, Math.min(beams, finished.size())));
    }
    next.sort(Comparator.comparingDouble((Beam beam) -> -beam.score()));
    running = next.subList(0, beams);
    origins = running.stream().mapToInt(Beam::origin).toArray();
    length++;
    improvable &= couldImprove();
    full |= stopped || (finished.size() == beams && stopsEarly());
  }

  /** The likeliest continuations of all followed texts, likeliest first. */
  private List<Candidate> candidates(float[][] logits) {
    int beams = parameters.numBeams();
    int kept = Math.max(2, 1 + constraints.eosTokenIds().size()) * beams;
    TopCandidates top = new TopCandidates(kept);
    for (int b = 0; b < beams; b++) {
      float[] scores = logits[b];
      toLogProbabilities(scores);
      constraints.apply(scores, running.get(b).ids(), length);
      float before = running.get(b).score();
      for (int token = 0; token < scores.length; token++) {
        top.offer(b, token, scores[token] + before);
      }
    }
    return top.sorted();
  }

  /** Keeps the k best of many; of equal ones those that were offered first. */
  private static final class TopCandidates {
    private final Candidate[] best;
    private int size;

    TopCandidates(int k) {
      best = new Candidate[k];
    }

    void offer(int beam, int token, float score) {
      if (size == best.length && !(score > best[size - 1].score())) {
        return;
      }
      int place = size < best.length ? size++ : size - 1;
      while (place > 0 && score > best[place - 1].score()) {
        best[place] = best[place - 1];
        place--;
      }
      best[place] = new Candidate(beam, token, score);
    }

    List<Candidate> sorted() {
      return List.of(best).subList(0, size);
    }
  }

  private static void toLogProbabilities(float[] logits) {
    float max = Float.NEGATIVE_INFINITY;
    for (float logit : logits) {
      max = Math.max(max, logit);
    }
    if (!Float.isFinite(max)) {
      throw new EngineException(
          Reason.DIVERGED, "the model's logits are no finite numbers: its weights are damaged");
    }
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit - max);
    }
    float log = (float) Math.log(sum);
    for (int i = 0; i < logits.length; i++) {
      logits[i] = logits[i] - max - log;
    }
  }

  /**
   * @param tokens of the text, without the start token
   */
  private float normalised(float score, int tokens) {
    return score / (float) Math.pow(tokens, parameters.lengthPenalty());
  }

  /** Whether the likeliest followed text could become one of the best whole ones. */
  private boolean couldImprove() {
    if (finished.size() < parameters.numBeams()) {
      return true;
    }
    boolean atAnyLength = parameters.earlyStopping() == EarlyStopping.NEVER;
    int tokens =
        (atAnyLength && parameters.lengthPenalty() > 0 ? constraints.maxLength() : length) - 1;
    float best = normalised(running.get(0).score(), tokens);
    return best > finished.get(finished.size() - 1).score();
  }

  private boolean stopsEarly() {
    return parameters.earlyStopping() == EarlyStopping.TRUE;
  }

  /** The best whole texts, best first. */
  public List<ScoredText> best() {
    return finished.stream()
        .limit(parameters.numReturnSequences())
        .map(
            beam ->
                new ScoredText(Arrays.copyOfRange(beam.ids(), 1, beam.ids().length), beam.score()))
        .toList();
  }
}
