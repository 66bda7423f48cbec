package io.attune.engine.data;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.token.EncoderTokenizer;
import java.util.Arrays;
import java.util.Optional;
import java.util.Set;

/**
 * Rows to examples of an encoder-decoder: the prompt is the source, the completion the target, each
 * with the tokenizer's special tokens. A target ends in the end-of-sequence token, so that the
 * model learns to stop.
 */
public final class SourceAndTargetExamples {
  private final EncoderTokenizer sources;
  private final EncoderTokenizer targets;
  private final Set<Integer> endings;

  /**
   * @param sources cuts to the longest source
   * @param targets cuts to the longest target
   * @param endings every token that ends a sequence
   */
  public SourceAndTargetExamples(
      EncoderTokenizer sources, EncoderTokenizer targets, Set<Integer> endings) {
    this.sources = sources;
    this.targets = targets;
    this.endings = Set.copyOf(endings);
  }

  /**
   * Of {@code {prompt, completion}} rows of text, judged or not, or {@code {instruction, input,
   * output}}; of judged ones those that are desirable.
   */
  public Optional<SourceAndTarget> pair(Row row) {
    if (row instanceof Row.Completion completion
        && completion.prompt() instanceof Content.Text source
        && completion.completion() instanceof Content.Text target) {
      return Optional.of(pair(source.text(), target.text()));
    }
    if (row instanceof Row.Judged judged
        && judged.prompt() instanceof Content.Text source
        && judged.completion() instanceof Content.Text target) {
      return judged.desirable()
          ? Optional.of(pair(source.text(), target.text()))
          : Optional.empty();
    }
    if (row instanceof Row.Instruction instruction) {
      if (!instruction.before().isEmpty()) {
        throw new EngineException(
            Reason.INVALID_ARGUMENT,
            "an encoder-decoder's source has no place for 'system' and 'history'");
      }
      String input = instruction.input().isEmpty() ? "" : "\n" + instruction.input();
      return Optional.of(pair(instruction.instruction() + input, instruction.output()));
    }
    throw Examples.unfit(
        row, "training an encoder-decoder; it needs {prompt, completion}, both as text");
  }

  private SourceAndTarget pair(String source, String target) {
    int[] read = sources.encode(source).ids();
    if (read.length == 0) {
      throw new EngineException(Reason.INVALID_ARGUMENT, "'prompt' has no token");
    }
    return new SourceAndTarget(read, ended(targets.encode(target).ids()));
  }

  private int[] ended(int[] ids) {
    if (ids.length > 0 && endings.contains(ids[ids.length - 1])) {
      return ids;
    }
    int end =
        endings.stream()
            .min(Integer::compare)
            .orElseThrow(
                () ->
                    new EngineException(
                        Reason.INCOMPATIBLE, "the model names no token that ends a text"));
    int[] result = Arrays.copyOf(ids, Math.min(ids.length, targets.maxTokens() - 1) + 1);
    result[result.length - 1] = end;
    return result;
  }
}
