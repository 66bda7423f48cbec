package io.attune.engine.data;

/**
 * A text to imitate.
 *
 * @param inputIds prompt and completion, end-of-sequence token included
 * @param targets for each token whether it is learned: completion tokens, or all of a plain text
 */
@SuppressWarnings(
    "ArrayRecordComponent") // read-only by convention; copying every row costs too much
public record SftExample(int[] inputIds, boolean[] targets) {
  public SftExample {
    if (inputIds.length != targets.length) {
      throw new IllegalArgumentException(
          inputIds.length + " tokens but " + targets.length + " targets");
    }
  }

  /** All tokens from {@code promptLength} on are learned. */
  public static SftExample completion(int[] inputIds, int promptLength) {
    boolean[] targets = new boolean[inputIds.length];
    for (int i = promptLength; i < targets.length; i++) {
      targets[i] = true;
    }
    return new SftExample(inputIds, targets);
  }
}
