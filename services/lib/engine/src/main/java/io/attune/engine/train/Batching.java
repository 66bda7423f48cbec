package io.attune.engine.train;

import java.util.Locale;

/**
 * Which examples go into a batch.
 *
 * @param sampling names of transformers' {@code train_sampling_strategy}
 * @param packedLength tokens that whole examples are packed into a row of; 0 where each is a row
 */
public record Batching(Sampling sampling, int packedLength) {
  public static final Batching DEFAULT = new Batching(Sampling.RANDOM, 0);

  /** In what order an epoch takes rows. */
  public enum Sampling {
    RANDOM,
    SEQUENTIAL,
    /** Rows of about equal length together, else at random. */
    GROUP_BY_LENGTH;

    static Sampling named(String name) {
      for (Sampling sampling : values()) {
        if (sampling.name().toLowerCase(Locale.ROOT).equals(name)) {
          return sampling;
        }
      }
      throw new IllegalArgumentException(
          "'train_sampling_strategy' is " + name + "; it is random, sequential or group_by_length");
    }
  }

  /** Whether the order depends on how long examples are. */
  boolean readsLengths() {
    return packedLength > 0 || sampling == Sampling.GROUP_BY_LENGTH;
  }
}
