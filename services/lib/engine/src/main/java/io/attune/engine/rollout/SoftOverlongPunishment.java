package io.attune.engine.rollout;

/**
 * A penalty that grows as a completion nears the longest length allowed (DAPO, arXiv 2503.14476,
 * equation 13): 0 up to {@code maxCompletionLength - softPunishCache} tokens, from there falling to
 * -1 at {@code maxCompletionLength}, -1 beyond. To be added to the score.
 */
public record SoftOverlongPunishment(int maxCompletionLength, int softPunishCache) {
  public SoftOverlongPunishment {
    if (softPunishCache < 0 || softPunishCache > maxCompletionLength) {
      throw new IllegalArgumentException(
          "'soft_punish_cache' is %d; it must be in 0..max_completion_length (%d)"
              .formatted(softPunishCache, maxCompletionLength));
    }
  }

  /** The penalty of a completion of {@code length} tokens, in [-1, 0]. */
  public double of(int length) {
    int free = maxCompletionLength - softPunishCache;
    if (length <= free) {
      return 0;
    }
    return length > maxCompletionLength ? -1 : (double) (free - length) / softPunishCache;
  }
}
