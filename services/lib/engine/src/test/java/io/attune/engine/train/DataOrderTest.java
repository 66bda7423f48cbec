package io.attune.engine.train;

import static org.assertj.core.api.Assertions.assertThat;

import io.attune.engine.tensor.Seed;
import io.attune.engine.train.Batching.Sampling;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class DataOrderTest {
  private static final int CAPACITY = 64;
  private static final TrainingArguments SHUFFLED = shuffled();

  /** Skewed, as instructions are: many short, few long. */
  private static int[] lengths(int count) {
    Random random = Seed.random(5, "lengths");
    return IntStream.range(0, count)
        .map(i -> Math.min(CAPACITY, 2 + (int) (6 / (0.1 + random.nextDouble()))))
        .toArray();
  }

  private static TrainingArguments shuffled() {
    TrainingArguments a = Runs.arguments(0, 1e-3, 0);
    return new TrainingArguments(
        a.learningRate(),
        a.lrSchedulerType(),
        a.warmupSteps(),
        a.perDeviceTrainBatchSize(),
        a.gradientAccumulationSteps(),
        a.maxSteps(),
        a.numTrainEpochs(),
        a.optimizer(),
        a.seed(),
        true,
        a.saveSteps(),
        a.saveTotalLimit());
  }

  private static DataOrder order(int[] lengths, Batching batching) {
    return new DataOrder(lengths.length, SHUFFLED, batching, i -> lengths[i]);
  }

  private static List<int[]> epoch(DataOrder order, int first) {
    List<int[]> batches = new ArrayList<>();
    int steps = SHUFFLED.stepsPerEpoch(order.rows());
    for (int step = first * steps; step < (first + 1) * steps; step++) {
      batches.addAll(order.microBatches(step));
    }
    return batches;
  }

  private static int[] sorted(List<int[]> batches) {
    return batches.stream().flatMapToInt(Arrays::stream).sorted().toArray();
  }

  /** trl 1.13.0's own example: {@code pack_dataset} with strategy bfd and length 4. */
  @Test
  void packsAsTheReference() {
    List<int[]> rows = Packing.bestFitDecreasing(new int[] {4, 2, 3, 1}, 4);
    assertThat(rows.stream().map(Arrays::toString)).containsExactly("[0]", "[2, 3]", "[1]");
  }

  @Test
  void packsEveryExampleOnceIntoRowsThatAreNearlyFull() {
    int[] lengths = lengths(500);
    List<int[]> rows = Packing.bestFitDecreasing(lengths, CAPACITY);
    assertThat(sorted(rows)).containsExactly(IntStream.range(0, 500).toArray());
    assertThat(rows)
        .allSatisfy(row -> assertThat(tokens(row, lengths)).isLessThanOrEqualTo(CAPACITY));
    int least = (Arrays.stream(lengths).sum() + CAPACITY - 1) / CAPACITY;
    assertThat(rows.size()).isLessThanOrEqualTo(least + least / 20 + 1);
  }

  /** The same by its definition: of all rows with room the fullest, the oldest of equals. */
  @Test
  void packsAsANaiveSearchDoes() {
    int[] lengths = lengths(120);
    Integer[] longestFirst = IntStream.range(0, 120).boxed().toArray(Integer[]::new);
    Arrays.sort(longestFirst, (a, b) -> lengths[b] - lengths[a]);
    List<Integer> spaces = new ArrayList<>();
    for (int example : longestFirst) {
      int best = -1;
      for (int row = 0; row < spaces.size(); row++) {
        if (spaces.get(row) >= lengths[example]
            && (best < 0 || spaces.get(row) < spaces.get(best))) {
          best = row;
        }
      }
      if (best < 0) {
        spaces.add(CAPACITY);
        best = spaces.size() - 1;
      }
      spaces.set(best, spaces.get(best) - lengths[example]);
    }
    List<Integer> own =
        Packing.bestFitDecreasing(lengths, CAPACITY).stream()
            .map(row -> CAPACITY - tokens(row, lengths))
            .sorted()
            .toList();
    assertThat(own).isEqualTo(spaces.stream().sorted().toList());
  }

  private static int tokens(int[] row, int[] lengths) {
    return Arrays.stream(row).map(i -> lengths[i]).sum();
  }

  @Test
  void passesAreBoundedAndWasteLittle() {
    int[] lengths = lengths(400);
    List<int[]> passes = Packing.passes(IntStream.range(0, 400).toArray(), lengths, 1024);
    assertThat(sorted(passes)).containsExactly(IntStream.range(0, 400).toArray());
    for (int[] pass : passes) {
      int tokens = tokens(pass, lengths);
      assertThat(tokens).isLessThanOrEqualTo(1024);
      int longest = Arrays.stream(pass).map(i -> lengths[i]).max().orElseThrow();
      assertThat(tokens < 300 || pass.length * longest <= 2 * tokens).isTrue();
    }
  }

  @Test
  void packedEpochsHoldEveryExampleOnceInAnOrderOfTheirOwn() {
    int[] lengths = lengths(100);
    DataOrder order = order(lengths, new Batching(Sampling.RANDOM, CAPACITY));
    assertThat(order.rows()).isLessThan(100);
    List<int[]> first = epoch(order, 0);
    List<int[]> second = epoch(order, 1);
    assertThat(sorted(first)).containsExactly(IntStream.range(0, 100).toArray());
    assertThat(sorted(second)).containsExactly(IntStream.range(0, 100).toArray());
    assertThat(first.get(0)).isNotEqualTo(second.get(0));
  }

  @Test
  void aStepIsTheSameWhateverWasAskedBefore() {
    int[] lengths = lengths(100);
    for (Batching batching :
        List.of(
            new Batching(Sampling.RANDOM, CAPACITY), new Batching(Sampling.GROUP_BY_LENGTH, 0))) {
      DataOrder whole = order(lengths, batching);
      epoch(whole, 0);
      epoch(whole, 1);
      assertThat(epoch(order(lengths, batching), 2))
          .usingRecursiveComparison()
          .isEqualTo(epoch(whole, 2));
    }
  }

  @Test
  void groupsByLengthAndTakesTheLongestFirst() {
    int[] lengths = lengths(200);
    int[] shuffled = IntStream.range(0, 200).map(i -> (i * 77 + 5) % 200).toArray();
    int[] grouped = LengthGroups.order(shuffled, lengths, 4);
    assertThat(Arrays.stream(grouped).sorted()).containsExactly(boxed(200));
    assertThat(lengths[grouped[0]]).isEqualTo(Arrays.stream(lengths).max().orElseThrow());
    assertThat(padding(grouped, lengths)).isLessThan(padding(shuffled, lengths) / 4);
  }

  private static Integer[] boxed(int count) {
    return IntStream.range(0, count).boxed().toArray(Integer[]::new);
  }

  private static int padding(int[] order, int[] lengths) {
    int padding = 0;
    for (int from = 0; from < order.length; from += 4) {
      int[] batch = Arrays.copyOfRange(order, from, from + 4);
      int longest = Arrays.stream(batch).map(i -> lengths[i]).max().orElseThrow();
      padding += 4 * longest - tokens(batch, lengths);
    }
    return padding;
  }
}
