package io.attune.engine.train;

import io.attune.engine.tensor.Seed;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Which rows a step takes: a function of seed and step alone, so a cursor is just a step. */
final class DataOrder {
  private final int rows;
  private final TrainingArguments arguments;
  private int epoch = -1;
  private int[] order = {};

  DataOrder(int rows, TrainingArguments arguments) {
    this.rows = rows;
    this.arguments = arguments;
  }

  /** Row numbers of each micro-batch of a step, counted from 0. */
  List<int[]> microBatches(int step) {
    int perEpoch = arguments.stepsPerEpoch(rows);
    int[] current = order(step / perEpoch);
    int start = step % perEpoch * arguments.examplesPerStep();
    int end = Math.min(rows, start + arguments.examplesPerStep());
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
      int[] next = new int[rows];
      Random random = Seed.random(Seed.derive(arguments.seed(), wanted), "order");
      for (int i = 0; i < rows; i++) {
        int j = arguments.shuffle() ? random.nextInt(i + 1) : i;
        next[i] = next[j];
        next[j] = i;
      }
      order = next;
      epoch = wanted;
    }
    return order;
  }
}
