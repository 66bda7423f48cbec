package io.attune.engine.objective;

import io.attune.engine.token.TokenizedText;

/** What a model reads of an example, and where it is asked something: one form a kind of task. */
public sealed interface Sequence {

  /** Tokens that reading it takes. */
  int tokens();

  /** A prompt, and a completion whose tokens are the targets. */
  static Sequence of(int[] prompt, int[] completion) {
    int[] ids = new int[prompt.length + completion.length];
    System.arraycopy(prompt, 0, ids, 0, prompt.length);
    System.arraycopy(completion, 0, ids, prompt.length, completion.length);
    boolean[] targets = new boolean[ids.length];
    for (int i = prompt.length; i < ids.length; i++) {
      targets[i] = true;
    }
    return new Continued(ids, targets);
  }

  /**
   * A text of which tokens are to be predicted, or that is scored as a whole.
   *
   * @param targets for each token whether its log-probability, given those before it, is wanted;
   *     the first token has none
   */
  @SuppressWarnings(
      "ArrayRecordComponent") // read-only by convention; copying every row costs too much
  record Continued(int[] ids, boolean[] targets) implements Sequence {
    @Override
    public int tokens() {
      return ids.length;
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

  /**
   * A text that is classified, or some of its tokens.
   *
   * @param places of the tokens that are classified; empty where the text is
   */
  @SuppressWarnings("ArrayRecordComponent") // as above
  record Classified(TokenizedText text, int[] places) implements Sequence {
    @Override
    public int tokens() {
      return text.length();
    }
  }

  /**
   * A text that is to become another one.
   *
   * @param source what the encoder reads
   * @param target whose log-probabilities are wanted, the token that ends it included
   */
  @SuppressWarnings("ArrayRecordComponent") // as above
  record Transduced(int[] source, int[] target) implements Sequence {
    @Override
    public int tokens() {
      return source.length + target.length;
    }
  }
}
