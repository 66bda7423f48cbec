package io.attune.engine.train;

import io.attune.engine.tensor.Seed;
import io.attune.engine.train.Batching.Sampling;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;

/** Which examples a step takes: a function of seed and step alone, so a cursor is just a step. */
final class DataOrder {
  private final TrainingArguments arguments;
  private final Batching batching;

  /** Of each example; empty where batches do not depend on it. */
  private final int[] lengths;

  /** Examples of each row; empty where each is a row. */
  private final List<int[]> packed;

  private final int rows;
  private int epoch = -1;
  private int[] order = {};

  /**
   * @param length of an example: its longest sequence; asked only where the batching depends on it
   */
  DataOrder(int examples, TrainingArguments arguments, Batching batching, IntUnaryOperator length) {
    this.arguments = arguments;
    this.batching = batching;
    this.lengths =
        batching.readsLengths() ? IntStream.range(0, examples).map(length).toArray() : new int[0];
    boolean packs = batching.packedLength() > 0;
    this.packed = packs ? Packing.bestFitDecreasing(lengths, batching.packedLength()) : List.of();
    this.rows = packs ? packed.size() : examples;
  }

  /** What batches are made of: examples, or as many of them as a packed row holds. */
  int rows() {
    return rows;
  }

  /** The examples of each micro-batch of a step, counted from 0. */
  List<int[]> microBatches(int step) {
    int perEpoch = arguments.stepsPerEpoch(rows);
    int[] current = order(step / perEpoch);
    int start = step % perEpoch * arguments.examplesPerStep();
    int end = Math.min(rows, start + arguments.examplesPerStep());
    if (!packed.isEmpty()) {
      int[] examples =
          IntStream.range(start, end).flatMap(i -> IntStream.of(packed.get(current[i]))).toArray();
      return Packing.passes(
          examples, lengths, arguments.perDeviceTrainBatchSize() * batching.packedLength());
    }
    List<int[]> batches = new ArrayList<>();
    for (int at = start; at < end; at += arguments.perDeviceTrainBatchSize()) {
      int[] batch = new int[Math.min(end - at, arguments.perDeviceTrainBatchSize())];
      System.arraycopy(current, at, batch, 0, batch.length);
      batches.add(batch);
    }
    return batches;
  }

  private int[] order(int wanted) {
    if (epoch != wanted) {
      boolean shuffled = arguments.shuffle() && batching.sampling() != Sampling.SEQUENTIAL;
      int[] next =
          shuffled
              ? Seed.permutation(Seed.derive(arguments.seed(), wanted), "order", rows)
              : IntStream.range(0, rows).toArray();
      boolean grouped = packed.isEmpty() && batching.sampling() == Sampling.GROUP_BY_LENGTH;
      order = grouped ? LengthGroups.order(next, lengths, arguments.examplesPerStep()) : next;
      epoch = wanted;
    }
    return order;
  }
}
