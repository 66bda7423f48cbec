package io.attune.engine.objective;

import io.attune.engine.data.ScoredCompletion;
import java.nio.IntBuffer;
import org.jspecify.annotations.Nullable;

/**
 * An answer as a reward model reads it, and how good people found it.
 *
 * @param score higher is better
 * @param prompt equal for answers to one prompt; null for a text that answers none
 */
public record RatedSequence(Sequence answer, double score, @Nullable Object prompt) {

  /** As a decoder reads it: prompt and answer in one. */
  public static RatedSequence of(ScoredCompletion example) {
    int[] prompt = example.promptIds();
    return new RatedSequence(
        Sequence.of(prompt, example.completionIds()),
        example.score(),
        prompt.length == 0 ? null : IntBuffer.wrap(prompt));
  }
}
