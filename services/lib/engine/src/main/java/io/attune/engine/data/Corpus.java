package io.attune.engine.data;

import io.attune.engine.data.ExampleOptions.TruncationMode;
import java.nio.file.Path;

/** Documents of any length to examples of at most a given one. */
public final class Corpus {

  /** How documents become examples. */
  public enum Layout {
    /** Laid end to end and cut into blocks of equal length, as transformers' {@code run_clm}. */
    WRAPPED,
    /** Each cut into examples of its own. */
    SPLIT,
    /** One example each; what exceeds the length is left aside. */
    TRUNCATED
  }

  private final Layout layout;
  private final TruncationMode truncation;
  private final TokenFile file;

  /** Twice the length, so that the end of a document can be kept by moving seldom. */
  private final int[] pending;

  private final int maxLength;
  private int count;
  private boolean overflows;
  private int truncated;

  /**
   * @param maxLength tokens of an example at most
   * @param store where the examples are kept; a file there is replaced
   */
  public Corpus(Layout layout, TruncationMode truncation, int maxLength, Path store) {
    this.layout = layout;
    this.truncation = truncation;
    this.maxLength = maxLength;
    this.pending = new int[2 * maxLength];
    this.file = TokenFile.create(store);
  }

  /**
   * Adds a document or a part of one.
   *
   * @param ends whether the document ends with these tokens
   */
  public void add(int[] ids, boolean ends) {
    overflows |= count + ids.length > maxLength;
    for (int id : ids) {
      if (count == maxLength && layout != Layout.TRUNCATED) {
        flush();
      } else if (count == pending.length) {
        if (truncation == TruncationMode.KEEP_START) {
          break;
        }
        keepLast();
      }
      pending[count++] = id;
    }
    if (ends && layout != Layout.WRAPPED) {
      truncated += overflows && layout == Layout.TRUNCATED ? 1 : 0;
      overflows = false;
      flush();
    }
  }

  /** The examples. The last of a wrapped corpus is what was left, and may be shorter. */
  public TokenFile finish() {
    flush();
    return file;
  }

  /** Documents of which something was left aside. */
  public int truncated() {
    return truncated;
  }

  private void keepLast() {
    System.arraycopy(pending, count - maxLength, pending, 0, maxLength);
    count = maxLength;
  }

  private void flush() {
    if (count > maxLength && truncation == TruncationMode.KEEP_END) {
      keepLast();
    }
    if (count > 1) { // a token alone is predicted by nothing and predicts nothing
      file.add(pending, Math.min(count, maxLength));
    }
    count = 0;
  }
}
