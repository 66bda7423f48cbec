package io.attune.engine.token;

import java.util.Arrays;

/**
 * Text of a growing sequence of tokens, handed out as soon as it cannot change any more: never half
 * a character, and together exactly the text of the whole sequence. Single-threaded.
 *
 * <p>A token's text depends on the ones before (leading blanks, characters over several tokens). So
 * each piece is the difference between two decodings that begin a few tokens earlier.
 */
public final class TokenStream {
  /** No character takes more tokens than this; then U+FFFD is what the bytes mean. */
  private static final int MAX_PENDING = 8;

  private final Tokenizer tokenizer;
  private int[] ids = new int[64];
  private int size;

  /** Where decoding begins, and up to where the text has been handed out. */
  private int context;

  private int read;

  TokenStream(Tokenizer tokenizer) {
    this.tokenizer = tokenizer;
  }

  /** Adds a token; returns the text that became certain, often one word, sometimes nothing. */
  public String push(int id) {
    if (size == ids.length) {
      ids = Arrays.copyOf(ids, 2 * size);
    }
    ids[size++] = id;
    return take(false);
  }

  /** The text still held back, at the end of the sequence. */
  public String finish() {
    return take(true);
  }

  private String take(boolean all) {
    String before = tokenizer.decode(ids, context, read, true);
    String now = tokenizer.decode(ids, context, size, true);
    boolean unfinished = now.endsWith("\uFFFD") && size - read < MAX_PENDING;
    if (now.length() <= before.length() || (unfinished && !all)) {
      return "";
    }
    context = read;
    read = size;
    return now.substring(before.length());
  }
}
