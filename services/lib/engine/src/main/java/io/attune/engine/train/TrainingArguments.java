package io.attune.engine.train;

import io.attune.engine.optim.LearningRate;

/**
 * Settings of the loop under the names and with the defaults of transformers' TrainingArguments.
 *
 * @param maxSteps optimizer steps; 0 leaves the length to {@code numTrainEpochs}
 * @param warmupSteps optimizer steps of rising learning rate
 * @param shuffle whether each epoch has an order of its own; else rows are taken as they come
 * @param saveSteps optimizer steps between checkpoints; 0 writes none
 * @param saveTotalLimit newest checkpoints kept
 */
public record TrainingArguments(
    double learningRate,
    LearningRate lrSchedulerType,
    int warmupSteps,
    int perDeviceTrainBatchSize,
    int gradientAccumulationSteps,
    int maxSteps,
    double numTrainEpochs,
    OptimizerSettings optimizer,
    long seed,
    boolean shuffle,
    int saveSteps,
    int saveTotalLimit) {

  public TrainingArguments {
    require(learningRate >= 0, "learning_rate", learningRate);
    require(warmupSteps >= 0, "warmup_steps", warmupSteps);
    require(perDeviceTrainBatchSize > 0, "per_device_train_batch_size", perDeviceTrainBatchSize);
    require(
        gradientAccumulationSteps > 0, "gradient_accumulation_steps", gradientAccumulationSteps);
    require(maxSteps >= 0, "max_steps", maxSteps);
    require(numTrainEpochs > 0, "num_train_epochs", numTrainEpochs);
    require(saveSteps >= 0, "save_steps", saveSteps);
    require(saveTotalLimit > 0, "save_total_limit", saveTotalLimit);
  }

  /** The same for something that learns at another rate. */
  public TrainingArguments withLearningRate(double rate) {
    return new TrainingArguments(
        rate,
        lrSchedulerType,
        warmupSteps,
        perDeviceTrainBatchSize,
        gradientAccumulationSteps,
        maxSteps,
        numTrainEpochs,
        optimizer,
        seed,
        shuffle,
        saveSteps,
        saveTotalLimit);
  }

  private static void require(boolean valid, String name, Object value) {
    if (!valid) {
      throw new IllegalArgumentException("'" + name + "' is " + value + ", which is out of range");
    }
  }

  /** Examples that an optimizer step takes. */
  int examplesPerStep() {
    return perDeviceTrainBatchSize * gradientAccumulationSteps;
  }

  /** Optimizer steps of an epoch; the last may take fewer examples. */
  int stepsPerEpoch(int examples) {
    return (examples + examplesPerStep() - 1) / examplesPerStep();
  }

  /** Optimizer steps of the whole run. */
  public int totalSteps(int examples) {
    return maxSteps > 0
        ? maxSteps
        : (int) Math.ceil(numTrainEpochs * stepsPerEpoch(examples) - 1e-9);
  }
}
