package io.attune.engine.online;

import io.attune.engine.data.Row;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;

/** Has other processes write completions by the policy as it is, and say how good they are. */
public interface RolloutExchange {

  /**
   * A completion that came back.
   *
   * @param promptIds as the writer read the prompt
   * @param logProbs of the completion's tokens under the policy that wrote them, at temperature 1
   * @param ended whether it ended by itself, and was not cut off
   * @param score what it is worth
   */
  @SuppressWarnings("ArrayRecordComponent") // handed over, never kept
  record Written(
      int[] promptIds,
      int[] completionIds,
      double[] logProbs,
      String completion,
      boolean ended,
      double score) {}

  /**
   * Waits for the completions of an iteration. A resumed run asks again, and gets the same.
   *
   * @param iteration from 0
   * @param each completions of each prompt
   * @param policy writes the policy's adapter into a folder, if that is needed
   * @return completions of the first prompt, then of the second, ...
   */
  List<Written> exchange(int iteration, List<Row.Prompt> prompts, int each, Consumer<Path> policy);
}
