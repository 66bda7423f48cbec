package io.attune.engine.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.attune.engine.model.DecoderNetwork;
import io.attune.engine.model.TokenBatch;
import io.attune.engine.nn.Head;
import io.attune.engine.nn.LanguageHead;
import io.attune.engine.objective.Loss;
import io.attune.engine.objective.Objective;
import io.attune.engine.objective.Objective.Readout;
import io.attune.engine.objective.Reading;
import io.attune.engine.objective.Sequence;
import io.attune.engine.tensor.Program;
import io.attune.engine.tensor.Torch;
import io.attune.engine.tensor.TorchPrograms;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads sequences with a policy for an objective, and carries the objective's derivative back into
 * the policy's gradients.
 */
public final class Reader<E> {
  private static final Program SCORE =
      TorchPrograms.compile(
          """
          def score(self: SELF, h: Tensor, w: List[Tensor]) -> Tensor:
            return torch.squeeze(torch.linear(h, w[0]), 1)

          def weigh(self: SELF, unit: Tensor, weight: Tensor) -> Tensor:
            return torch.mul_(unit, torch.unsqueeze(weight, 1))
          """);

  private final Policy policy;
  private final Objective<E> objective;

  public Reader(Policy policy, Objective<E> objective) {
    this.policy = policy;
    this.objective = objective;
    if (objective.readout() == Readout.SCORE && policy.score() == null) {
      throw new IllegalArgumentException("the policy has no score head");
    }
  }

  /** Places of the wanted hidden states among all tokens, and the labels that they predict. */
  private record Wanted(long[] places, long[] labels) {}

  /**
   * Adds the gradient of a micro-batch to the policy's leaves.
   *
   * @param reference readings of the reference policy, if the objective uses one
   */
  public Loss forwardBackward(
      List<E> examples, @Nullable List<Reading> reference, double normaliser) {
    List<Sequence> sequences = sequences(examples);
    try (NDManager scope = Torch.scope("micro-batch");
        Torch.GradMode recorded = Torch.gradMode(true)) {
      TokenBatch batch = batch(scope, policy.network(), sequences);
      Wanted wanted = wanted(sequences, batch);
      NDArray hidden = selected(scope, policy.network(), batch, wanted); // [M, E]
      return objective.readout() == Readout.SCORE
          ? scoreBackward(scope, hidden, examples, reference, normaliser)
          : tokensBackward(scope, hidden, wanted, sequences, examples, reference, normaliser);
    }
  }

  private Loss tokensBackward(
      NDManager scope,
      NDArray hidden,
      Wanted wanted,
      List<Sequence> sequences,
      List<E> examples,
      @Nullable List<Reading> reference,
      double normaliser) {
    Head head = policy.network().head();
    NDArray labels = scope.create(wanted.labels());
    Loss loss;
    NDArray gradient;
    try (Torch.GradMode mode = Torch.gradMode(false)) {
      LanguageHead.Reading reading = LanguageHead.read(scope, hidden, labels, head, true);
      loss = objective.loss(examples, split(reading, sequences), reference, normaliser);
      NDArray weight = scope.create(flat(loss.gradient(), wanted.places().length));
      if (policy.headTrained()) {
        NDArray byHead = LanguageHead.headGradient(scope, hidden, labels, weight, head);
        Torch.backward(head.weight(), byHead);
        byHead.close();
      }
      NDList inputs = new NDList(reading.unitGradient(), weight);
      gradient = SCORE.run(scope, "weigh", inputs, List.of()).get(0);
    }
    Torch.backward(hidden, gradient);
    return loss;
  }

  private Loss scoreBackward(
      NDManager scope,
      NDArray hidden,
      List<E> examples,
      @Nullable List<Reading> reference,
      double normaliser) {
    NDArray scores = scores(scope, hidden);
    Loss loss = objective.loss(examples, scoreReadings(scores), reference, normaliser);
    float[] gradient = flat(loss.gradient(), loss.gradient().length);
    Torch.backward(scores, scope.create(gradient, new Shape(gradient.length)));
    return loss;
  }

  /** Reads without recording: the policy, or what it is compared with. */
  public List<Reading> read(List<E> examples, boolean reference) {
    List<Sequence> sequences = sequences(examples);
    DecoderNetwork network = reference ? policy.reference() : policy.network();
    try (NDManager scope = Torch.scope("read");
        Torch.GradMode mode = Torch.gradMode(false)) {
      TokenBatch batch = batch(scope, network, sequences);
      Wanted wanted = wanted(sequences, batch);
      NDArray hidden = selected(scope, network, batch, wanted);
      if (objective.readout() == Readout.SCORE) {
        return scoreReadings(scores(scope, hidden));
      }
      NDArray labels = scope.create(wanted.labels());
      return split(LanguageHead.read(scope, hidden, labels, network.head(), false), sequences);
    }
  }

  /** Tokens that reading these examples takes. */
  public int tokens(List<E> examples) {
    return sequences(examples).stream().mapToInt(s -> s.ids().length).sum();
  }

  /** Tokens of the longest sequence of an example. */
  int longest(E example) {
    return objective.sequences(example).stream().mapToInt(s -> s.ids().length).max().orElse(0);
  }

  private List<Sequence> sequences(List<E> examples) {
    List<Sequence> all = new ArrayList<>();
    examples.forEach(example -> all.addAll(objective.sequences(example)));
    return all;
  }

  private static NDArray selected(
      NDManager scope, DecoderNetwork network, TokenBatch batch, Wanted wanted) {
    try (NDArray hidden = network.hidden(scope, batch)) {
      return LanguageHead.select(scope, hidden, scope.create(wanted.places()));
    }
  }

  private static TokenBatch batch(
      NDManager scope, DecoderNetwork network, List<Sequence> sequences) {
    return network.sharingBatch(scope, sequences.stream().map(Sequence::ids).toList());
  }

  private NDArray scores(NDManager scope, NDArray hidden) {
    return SCORE.run(scope, "score", new NDList(hidden), List.of(policy.score())).get(0);
  }

  private Wanted wanted(List<Sequence> sequences, TokenBatch batch) {
    boolean score = objective.readout() == Readout.SCORE;
    int count = score ? sequences.size() : sequences.stream().mapToInt(Sequence::targetCount).sum();
    long[] places = new long[count];
    long[] labels = new long[count];
    int next = 0;
    for (int row = 0; row < sequences.size(); row++) {
      Sequence sequence = sequences.get(row);
      int length = sequence.ids().length;
      if (score) {
        places[next++] = batch.token(row, length - 1);
      } else {
        for (int t = 1; t < length; t++) {
          if (sequence.targets()[t]) {
            places[next] = batch.token(row, t - 1); // the token before predicts it
            labels[next++] = sequence.ids()[t];
          }
        }
      }
    }
    return new Wanted(places, labels);
  }

  private static List<Reading> split(LanguageHead.Reading reading, List<Sequence> sequences) {
    float[] values = reading.logProbs().toFloatArray();
    float[] correct = reading.correct().toFloatArray();
    List<Reading> result = new ArrayList<>();
    int next = 0;
    for (Sequence sequence : sequences) {
      double[] own = new double[sequence.targetCount()];
      boolean[] hits = new boolean[own.length];
      for (int i = 0; i < own.length; i++, next++) {
        own[i] = values[next];
        hits[i] = correct[next] > 0;
      }
      result.add(new Reading(own, hits));
    }
    return result;
  }

  private static List<Reading> scoreReadings(NDArray scores) {
    List<Reading> result = new ArrayList<>();
    for (float score : scores.toFloatArray()) {
      result.add(new Reading(new double[] {score}, new boolean[0]));
    }
    return result;
  }

  private static float[] flat(double[][] parts, int length) {
    float[] result = new float[length];
    int next = 0;
    for (double[] part : parts) {
      for (double value : part) {
        result[next++] = (float) value;
      }
    }
    return result;
  }
}
