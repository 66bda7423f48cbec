package io.attune.engine.generate;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/**
 * What a written text must and must not hold, however its tokens are chosen; named as in
 * transformers. Lengths count the decoder's start token.
 *
 * @param minLength tokens that a text has before it may end; 0 for any
 * @param noRepeatNgramSize so many tokens in a row never come twice; 0 for no such rule
 * @param forcedBosTokenId the token after the start token; -1 for any
 * @param forcedEosTokenIds one of them is the last token of a text that reaches {@code maxLength};
 *     empty for any
 * @param eosTokenIds tokens that end a text
 * @param maxLength tokens that a text has at most
 */
public record TokenConstraints(
    int minLength,
    int noRepeatNgramSize,
    int forcedBosTokenId,
    List<Integer> forcedEosTokenIds,
    Set<Integer> eosTokenIds,
    int maxLength) {

  public TokenConstraints {
    if (minLength < 0 || noRepeatNgramSize < 0 || maxLength < 2) {
      throw new EngineException(
          Reason.INVALID_ARGUMENT,
          "a text needs min_length >= 0, no_repeat_ngram_size >= 0 and room for at least 1 token;"
              + " got min_length %d, no_repeat_ngram_size %d and %d tokens with the start token"
                  .formatted(minLength, noRepeatNgramSize, maxLength));
    }
    forcedEosTokenIds = List.copyOf(forcedEosTokenIds);
    eosTokenIds = Set.copyOf(eosTokenIds);
  }

  /**
   * Sets to minus infinity what may not come next; where one token must, all others.
   *
   * @param scores [V] of what follows the text, logits or log-probabilities; changed in place
   * @param text the first {@code length} are its tokens, the start token among them
   */
  public void apply(float[] scores, int[] text, int length) {
    if (noRepeatNgramSize > 0) {
      forbidRepetition(scores, text, length);
    }
    if (length < minLength) {
      eosTokenIds.forEach(id -> scores[id] = Float.NEGATIVE_INFINITY);
    }
    if (length == 1 && forcedBosTokenId >= 0) {
      force(scores, List.of(forcedBosTokenId));
    }
    if (length == maxLength - 1 && !forcedEosTokenIds.isEmpty()) {
      force(scores, forcedEosTokenIds);
    }
  }

  private void forbidRepetition(float[] scores, int[] text, int length) {
    int before = noRepeatNgramSize - 1;
    for (int end = before; end < length; end++) {
      if (length >= before
          && Arrays.equals(text, end - before, end, text, length - before, length)) {
        scores[text[end]] = Float.NEGATIVE_INFINITY;
      }
    }
  }

  private static void force(float[] scores, List<Integer> ids) {
    Arrays.fill(scores, Float.NEGATIVE_INFINITY);
    ids.forEach(id -> scores[id] = 0);
  }

  /** Whether a text is whole after its last token. */
  public boolean ends(int lastToken, int length) {
    return eosTokenIds.contains(lastToken) || length >= maxLength;
  }
}
