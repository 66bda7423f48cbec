package io.attune.engine.evaluate;

/** How numbers of single labels become one, as scikit-learn's {@code average}. */
public enum Averaging {
  /** That of the positive label alone. */
  BINARY,
  /** The mean over labels that occur, each counting the same. */
  MACRO,
  /** From counts over all labels: each row counts the same. */
  MICRO,
  /** The mean over labels, each counting as often as it is the true one. */
  WEIGHTED
}
