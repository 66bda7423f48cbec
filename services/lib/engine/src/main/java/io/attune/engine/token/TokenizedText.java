package io.attune.engine.token;

/**
 * A text, or a pair of texts, as an encoder reads it.
 *
 * @param ids token ids, special tokens included
 * @param segments for each token 0, or 1 where it belongs to the second text: {@code
 *     token_type_ids}
 */
@SuppressWarnings("ArrayRecordComponent") // read-only by convention
public record TokenizedText(int[] ids, int[] segments) {
  public TokenizedText {
    if (ids.length != segments.length) {
      throw new IllegalArgumentException(ids.length + " ids, " + segments.length + " segments");
    }
  }

  /** A single text. */
  public static TokenizedText of(int... ids) {
    return new TokenizedText(ids, new int[ids.length]);
  }

  public int length() {
    return ids.length;
  }
}
