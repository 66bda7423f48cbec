package io.attune.engine.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.attune.engine.adapter.Adapter;
import io.attune.engine.data.SftExample;
import io.attune.engine.model.DecoderModel;
import io.attune.engine.model.Weights;
import io.attune.engine.objective.Reading;
import io.attune.engine.objective.Sft;
import io.attune.engine.train.Batching.Sampling;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.stream.IntStream;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The rows of the reference run sft-lora, packed and not. */
class PackingParityTest {
  private static final Batching PACKED = new Batching(Sampling.SEQUENTIAL, 64);

  @TempDir Path folder;

  private static void with(BiConsumer<Policy, List<SftExample>> test) throws IOException {
    DecoderModel architecture = Runs.architecture();
    try (Weights weights = Runs.weights(architecture, false);
        Adapter adapter = Runs.adapter(Runs.base(architecture, weights), "runs/sft-lora/final");
        Policy policy = Policy.ofAdapter(architecture, weights, adapter, null)) {
      test.accept(policy, Runs.sftRows("sft-lora"));
    }
  }

  private static List<int[]> passes(List<SftExample> rows, Batching batching) {
    TrainingArguments arguments = Runs.arguments(0, 1e-3, 0);
    DataOrder order =
        new DataOrder(rows.size(), arguments, batching, i -> rows.get(i).inputIds().length);
    List<int[]> passes = new ArrayList<>();
    for (int step = 0; step < arguments.stepsPerEpoch(order.rows()); step++) {
      passes.addAll(order.microBatches(step));
    }
    return passes;
  }

  /** Negative log-likelihood of each row's targets. */
  private static double[] losses(Policy policy, List<SftExample> rows, List<int[]> passes) {
    Reader<SftExample> reader = new Reader<>(policy, new Sft());
    double[] losses = new double[rows.size()];
    for (int[] pass : passes) {
      List<Reading> read = reader.read(Arrays.stream(pass).mapToObj(rows::get).toList(), false);
      for (int i = 0; i < pass.length; i++) {
        losses[pass[i]] = -Arrays.stream(read.get(i).values()).sum();
      }
    }
    return losses;
  }

  @Test
  void packingChangesNoLoss() throws IOException {
    with(
        (policy, rows) -> {
          List<int[]> packed = passes(rows, PACKED);
          List<int[]> alone = IntStream.range(0, rows.size()).mapToObj(i -> new int[] {i}).toList();
          assertThat(packed.size()).isLessThanOrEqualTo(rows.size() / 2);
          double[] expected = losses(policy, rows, alone);
          double[] actual = losses(policy, rows, packed);
          assertThat(actual).containsExactly(expected, within(1e-5));
          assertThat(Arrays.stream(actual).sum())
              .isCloseTo(Arrays.stream(expected).sum(), within(1e-5));
        });
  }

  @Test
  void nothingOfAnExampleReachesItsNeighbours() throws IOException {
    with(
        (policy, rows) -> {
          List<int[]> packed = passes(rows, PACKED);
          double[] before = losses(policy, rows, packed);
          int changed = packed.get(0)[1];
          SftExample own = rows.get(changed);
          int[] others = Arrays.stream(own.inputIds()).map(id -> (id + 7) % 300).toArray();
          List<SftExample> altered = new ArrayList<>(rows);
          altered.set(changed, new SftExample(others, own.targets()));
          double[] after = losses(policy, altered, packed);
          assertThat(Math.abs(after[changed] - before[changed])).isGreaterThan(0.1);
          after[changed] = before[changed];
          assertThat(after).containsExactly(before, within(1e-5));
        });
  }

  @Test
  void aPackedStepIsTheStepOfTheSameRows() throws IOException {
    // One step of all rows: 2 x 2 rows of 256 tokens hold them, as 16 rows of their own do.
    StepMetrics packed = firstStep(new Batching(Sampling.SEQUENTIAL, 256), "packed");
    List<StepMetrics> steps = new ArrayList<>();
    with(
        (policy, rows) -> {
          Reader<SftExample> reader = new Reader<>(policy, new Sft());
          double targets = rows.stream().mapToDouble(new Sft()::weight).sum();
          double loss =
              rows.stream()
                  .mapToDouble(
                      row ->
                          new Sft()
                              .loss(List.of(row), reader.read(List.of(row), false), null, targets)
                              .value())
                  .sum();
          assertThat(packed.loss()).isCloseTo(loss, within(1e-5));
        });
    assertThat(packed.totalSteps()).isEqualTo(1);
    assertThat(packed.gradNorm())
        .isCloseTo(
            firstStep(new Batching(Sampling.SEQUENTIAL, 200), "other").gradNorm(),
            Percentage.withPercentage(1e-3));
  }

  private StepMetrics firstStep(Batching batching, String run) throws IOException {
    List<StepMetrics> steps = new ArrayList<>();
    with(
        (policy, rows) ->
            new TrainingLoop<>(Runs.arguments(0, 1e-3, 0), policy, new Sft(), rows, batching)
                .run(folder.resolve(run), run, steps::add, notice -> {}, () -> false));
    return steps.get(0);
  }
}
