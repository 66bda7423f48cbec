package io.attune.engine.data;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * An answer with a thumb up or down, and an answer to another prompt, by which it is measured how
 * far a policy has moved on the whole.
 *
 * @param completionIds the answer, end-of-sequence token included, without the prompt
 * @param mismatchedIds the other one, likewise; empty where nothing is measured by it
 */
@SuppressWarnings(
    "ArrayRecordComponent") // read-only by convention; copying every row costs too much
public record KtoExample(
    int[] promptIds, int[] completionIds, boolean desirable, int[] mismatchedIds) {

  /**
   * Gives each answer's prompt another prompt's answer: as trl does, that of the row before, and to
   * the first row of a batch that of the batch's last. Where that is to the same prompt, as with
   * pairs, it is the nearest one before that is not.
   *
   * @param batch rows of a batch, in the order that they have
   * @param maxLength tokens of prompt and answer; longer ones are cut
   * @throws EngineException if all answers are to one prompt
   */
  public static List<KtoExample> mismatched(List<JudgedCompletion> rows, int batch, int maxLength) {
    List<KtoExample> examples = new ArrayList<>();
    for (int i = 0; i < rows.size(); i++) {
      JudgedCompletion row = rows.get(i);
      int[] other = other(rows, i, batch).completionIds();
      int room = Math.max(1, maxLength - row.promptIds().length);
      examples.add(
          new KtoExample(
              row.promptIds(),
              row.completionIds(),
              row.desirable(),
              Arrays.copyOf(other, Math.min(room, other.length))));
    }
    return examples;
  }

  /** Answers alone, where nothing is measured by others. */
  public static List<KtoExample> alone(List<JudgedCompletion> rows) {
    return rows.stream()
        .map(r -> new KtoExample(r.promptIds(), r.completionIds(), r.desirable(), new int[0]))
        .toList();
  }

  private static JudgedCompletion other(List<JudgedCompletion> rows, int i, int batch) {
    int[] prompt = rows.get(i).promptIds();
    int last = Math.min(rows.size(), i + batch) - 1;
    JudgedCompletion near = rows.get(i % batch == 0 ? last : i - 1);
    if (!Arrays.equals(near.promptIds(), prompt)) {
      return near;
    }
    for (int back = 1; back < rows.size(); back++) {
      JudgedCompletion candidate = rows.get(Math.floorMod(i - back, rows.size()));
      if (!Arrays.equals(candidate.promptIds(), prompt)) {
        return candidate;
      }
    }
    throw new EngineException(
        Reason.TOO_LITTLE_DATA,
        "all rows have one prompt; kto compares with answers to other prompts, so there must be at"
            + " least two (or set 'loss_type' to apo_zero_unpaired)");
  }
}
