package io.attune.engine.online;

import io.attune.engine.tensor.Seed;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * How the completions of an iteration are learnt: in so many epochs, each over so many mini-batches
 * of one optimizer step, each read in micro-batches.
 *
 * @param numGenerations completions of a prompt
 * @param epochs {@code num_ppo_epochs}, {@code num_iterations}
 * @param miniBatches optimizer steps of an epoch
 * @param microBatch completions read at once
 * @param microBatches of a mini-batch
 * @param reshuffled whether each epoch cuts mini-batches anew, as PPO does
 */
public record UpdatePlan(
    int numGenerations,
    int epochs,
    int miniBatches,
    int microBatch,
    int microBatches,
    boolean reshuffled) {

  public UpdatePlan {
    require(numGenerations > 0, "num_generations", numGenerations);
    require(epochs > 0, "num_iterations", epochs);
    require(miniBatches > 0, "num_mini_batches", miniBatches);
    if (microBatch * microBatches * miniBatches % numGenerations != 0) {
      throw new IllegalArgumentException(
          "an iteration learns from %d completions, which must be whole groups of"
                  .formatted(microBatch * microBatches * miniBatches)
              + " num_generations (%d); change per_device_train_batch_size,"
                  .formatted(numGenerations)
              + " gradient_accumulation_steps or the number of mini-batches");
    }
  }

  private static void require(boolean valid, String name, int value) {
    if (!valid) {
      throw new IllegalArgumentException("'" + name + "' is " + value + "; it must be above 0");
    }
  }

  /** Completions of an iteration. */
  int completions() {
    return microBatch * microBatches * miniBatches;
  }

  /** Prompts of an iteration. */
  int prompts() {
    return completions() / numGenerations;
  }

  /** Optimizer steps of an iteration. */
  int updates() {
    return epochs * miniBatches;
  }

  /**
   * The completions of each micro-batch of each mini-batch of an epoch. Chance decides which belong
   * together; within a mini-batch they stay in order, so that those of one prompt, which is then
   * read once, are neighbours.
   *
   * @param seed of the iteration
   */
  List<List<int[]>> epoch(long seed, int epoch) {
    int[] order =
        miniBatches == 1
            ? IntStream.range(0, completions()).toArray()
            : Seed.permutation(
                Seed.derive(seed, reshuffled ? epoch : 0), "mini-batches", completions());
    List<List<int[]>> result = new ArrayList<>();
    int size = microBatch * microBatches;
    for (int mini = 0; mini < miniBatches; mini++) {
      int[] members = Arrays.copyOfRange(order, mini * size, (mini + 1) * size);
      Arrays.sort(members);
      List<int[]> parts = new ArrayList<>();
      for (int at = 0; at < size; at += microBatch) {
        parts.add(Arrays.copyOfRange(members, at, at + microBatch));
      }
      result.add(parts);
    }
    return result;
  }
}
