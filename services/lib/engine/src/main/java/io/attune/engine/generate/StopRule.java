package io.attune.engine.generate;

import java.util.List;

/**
 * Ends a text at the first stop text, which is not part of it. Holds text back for as long as it
 * could be the beginning of one. Single-threaded.
 */
public final class StopRule {
  private final List<String> stop;
  private final StringBuilder held = new StringBuilder();
  private boolean stopped;

  public StopRule(List<String> stop) {
    this.stop = List.copyOf(stop);
  }

  /** Adds text; returns what is certain to be part of the answer. */
  public String push(String text) {
    if (stopped) {
      return "";
    }
    held.append(text);
    int end = -1;
    for (String each : stop) {
      int at = held.indexOf(each);
      if (at >= 0 && (end < 0 || at < end)) {
        end = at;
      }
    }
    if (end >= 0) {
      stopped = true;
      return take(end);
    }
    return take(held.length() - longestBeginning());
  }

  /** Whether a stop text came. */
  public boolean stopped() {
    return stopped;
  }

  /** What was held back, at the end of the text. */
  public String finish() {
    return stopped ? "" : take(held.length());
  }

  private String take(int length) {
    String taken = held.substring(0, length);
    held.delete(0, length);
    return taken;
  }

  /** Length of the longest end of the held text that begins a stop text. */
  private int longestBeginning() {
    int longest = 0;
    for (String each : stop) {
      for (int n = Math.min(each.length() - 1, held.length()); n > longest; n--) {
        if (each.startsWith(held.substring(held.length() - n))) {
          longest = n;
        }
      }
    }
    return longest;
  }
}
