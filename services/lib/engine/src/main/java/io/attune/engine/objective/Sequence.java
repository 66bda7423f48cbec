package io.attune.engine.objective;

/**
 * Tokens to read.
 *
 * @param targets for each token whether its log-probability, given those before it, is wanted; the
 *     first token has none
 */
@SuppressWarnings(
    "ArrayRecordComponent") // read-only by convention; copying every row costs too much
public record Sequence(int[] ids, boolean[] targets) {

  /** A prompt, and a completion whose tokens are the targets. */
  static Sequence of(int[] prompt, int[] completion) {
    int[] ids = new int[prompt.length + completion.length];
    System.arraycopy(prompt, 0, ids, 0, prompt.length);
    System.arraycopy(completion, 0, ids, prompt.length, completion.length);
    boolean[] targets = new boolean[ids.length];
    for (int i = prompt.length; i < ids.length; i++) {
      targets[i] = true;
    }
    return new Sequence(ids, targets);
  }

  /** Targets that have a token before them. */
  public int targetCount() {
    int count = 0;
    for (int i = 1; i < targets.length; i++) {
      count += targets[i] ? 1 : 0;
    }
    return count;
  }
}
