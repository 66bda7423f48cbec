package io.attune.engine.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.attune.engine.nn.Head;
import io.attune.engine.nn.LanguageHead;
import io.attune.engine.nn.LanguageHead.Distribution;
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
  private static final Program PROGRAM =
      TorchPrograms.compile(
          """
          def weigh(self: SELF, unit: Tensor, weight: Tensor) -> Tensor:
            return torch.mul_(unit, torch.unsqueeze(weight, 1))
          """);

  private final Policy policy;
  private final Objective<E> objective;

  public Reader(Policy policy, Objective<E> objective) {
    this.policy = policy;
    this.objective = objective;
    if (objective.readout() == Readout.LOGITS && !policy.network().classifies()) {
      throw new IllegalArgumentException("the policy has no head that scores or classifies");
    }
  }

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
      Forward.Result read =
          policy.network().read(scope, sequences, objective.readout(), policy.checkpointed());
      NDArray wanted = wanted(scope, read); // [M, E]
      Loss loss =
          objective.readout() == Readout.LOGITS
              ? logitsBackward(scope, wanted, read.counts(), examples, reference, normaliser)
              : tokensBackward(scope, wanted, read, examples, reference, normaliser);
      read.pass().backward();
      return loss;
    }
  }

  private Loss tokensBackward(
      NDManager scope,
      NDArray hidden,
      Forward.Result read,
      List<E> examples,
      @Nullable List<Reading> reference,
      double normaliser) {
    Head head = policy.network().head();
    NDArray labels = scope.create(read.labels());
    Distribution distribution = distribution();
    Loss loss;
    NDArray gradient;
    try (Torch.GradMode mode = Torch.gradMode(false)) {
      LanguageHead.Reading reading =
          LanguageHead.read(scope, hidden, labels, head, true, distribution);
      loss = objective.loss(examples, split(reading, read.counts()), reference, normaliser);
      NDArray weight = scope.create(flat(loss.gradient(), read.places().length));
      if (policy.headTrained()) {
        NDArray byHead =
            LanguageHead.headGradient(scope, hidden, labels, weight, head, distribution);
        Torch.backward(head.weight(), byHead);
        byHead.close();
      }
      NDList inputs = new NDList(reading.unitGradient(), weight);
      gradient = PROGRAM.run(scope, "weigh", inputs, List.of()).get(0);
    }
    Torch.backward(hidden, gradient);
    return loss;
  }

  private Loss logitsBackward(
      NDManager scope,
      NDArray hidden,
      int[] counts,
      List<E> examples,
      @Nullable List<Reading> reference,
      double normaliser) {
    NDArray logits = policy.network().logits(scope, hidden);
    Loss loss = objective.loss(examples, split(logits, counts), reference, normaliser);
    float[] gradient = flat(loss.gradient(), Math.toIntExact(logits.size()));
    Torch.backward(logits, scope.create(gradient, logits.getShape()));
    return loss;
  }

  /** Reads without recording: the policy, or what it is compared with. */
  public List<Reading> read(List<E> examples, boolean reference) {
    List<Sequence> sequences = sequences(examples);
    Forward network = reference ? policy.reference() : policy.network();
    try (NDManager scope = Torch.scope("read");
        Torch.GradMode mode = Torch.gradMode(false)) {
      Forward.Result read = network.read(scope, sequences, objective.readout(), false);
      NDArray wanted = wanted(scope, read);
      if (objective.readout() == Readout.LOGITS) {
        return split(network.logits(scope, wanted), read.counts());
      }
      NDArray labels = scope.create(read.labels());
      return split(
          LanguageHead.read(scope, wanted, labels, network.head(), false, distribution()),
          read.counts());
    }
  }

  /** What the objective reads off the policy's logits. */
  private Distribution distribution() {
    return new Distribution(
        objective.labelSmoothing(), objective.temperature(), objective.readsEntropies());
  }

  /** Tokens that reading these examples takes. */
  public int tokens(List<E> examples) {
    return sequences(examples).stream().mapToInt(Sequence::tokens).sum();
  }

  /** Tokens of the longest sequence of an example. */
  int longest(E example) {
    return objective.sequences(example).stream().mapToInt(Sequence::tokens).max().orElse(0);
  }

  private List<Sequence> sequences(List<E> examples) {
    List<Sequence> all = new ArrayList<>();
    examples.forEach(example -> all.addAll(objective.sequences(example)));
    return all;
  }

  /** The hidden states that are asked for, [M, E]. */
  private static NDArray wanted(NDManager scope, Forward.Result read) {
    try (NDArray hidden = read.pass().hidden()) {
      return LanguageHead.select(scope, hidden, scope.create(read.places()));
    }
  }

  private static List<Reading> split(LanguageHead.Reading reading, int[] counts) {
    float[] values = reading.logProbs().toFloatArray();
    float[] correct = reading.correct().toFloatArray();
    float[] entropies = reading.entropy().toFloatArray();
    List<Reading> result = new ArrayList<>();
    int next = 0;
    for (int count : counts) {
      double[] own = new double[count];
      boolean[] hits = new boolean[own.length];
      double[] spread = new double[entropies.length == 0 ? 0 : count];
      for (int i = 0; i < own.length; i++, next++) {
        own[i] = values[next];
        hits[i] = correct[next] > 0;
        if (spread.length > 0) {
          spread[i] = entropies[next];
        }
      }
      result.add(new Reading(own, hits, spread));
    }
    return result;
  }

  /**
   * @param logits [M, labels]
   */
  private static List<Reading> split(NDArray logits, int[] counts) {
    float[] values = logits.toFloatArray();
    int labels = Math.toIntExact(logits.getShape().get(1));
    List<Reading> result = new ArrayList<>();
    int next = 0;
    for (int count : counts) {
      double[] own = new double[count * labels];
      for (int i = 0; i < own.length; i++) {
        own[i] = values[next++];
      }
      result.add(new Reading(own, new boolean[0]));
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
