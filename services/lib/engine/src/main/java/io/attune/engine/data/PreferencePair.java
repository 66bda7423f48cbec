package io.attune.engine.data;

/**
 * Two answers to one prompt, one preferred.
 *
 * @param chosenIds the better answer, end-of-sequence token included, without the prompt
 * @param rejectedIds the other answer, likewise
 * @param margin by how much the chosen one is better, in the unit of a reward; 0 if not known
 */
@SuppressWarnings(
    "ArrayRecordComponent") // read-only by convention; copying every row costs too much
public record PreferencePair(int[] promptIds, int[] chosenIds, int[] rejectedIds, double margin) {
  public PreferencePair(int[] promptIds, int[] chosenIds, int[] rejectedIds) {
    this(promptIds, chosenIds, rejectedIds, 0);
  }
}
