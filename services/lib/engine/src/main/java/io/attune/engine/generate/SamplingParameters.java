package io.attune.engine.generate;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import java.util.List;
import java.util.OptionalLong;

/**
 * How tokens are chosen, named as in transformers.
 *
 * @param temperature divides the logits; 0 is greedy
 * @param topK keeps the k likeliest tokens; 0 keeps all
 * @param topP keeps the likeliest tokens whose probabilities reach p, 0 &lt; p &lt;= 1
 * @param maxNewTokens at least 1
 * @param stop texts that end the answer and are not part of it
 * @param seed makes sampling repeatable; a random one when empty
 */
public record SamplingParameters(
    double temperature,
    int topK,
    double topP,
    int maxNewTokens,
    List<String> stop,
    OptionalLong seed) {

  public SamplingParameters {
    if (!(temperature >= 0) || topK < 0 || !(topP > 0 && topP <= 1) || maxNewTokens < 1) {
      throw new EngineException(
          Reason.INVALID_ARGUMENT,
          "sampling needs temperature >= 0, top_k >= 0, 0 < top_p <= 1 and max_new_tokens >= 1;"
              + " got "
              + temperature
              + ", "
              + topK
              + ", "
              + topP
              + ", "
              + maxNewTokens);
    }
    stop = List.copyOf(stop);
    if (stop.stream().anyMatch(String::isEmpty)) {
      throw new EngineException(Reason.INVALID_ARGUMENT, "a stop text is empty");
    }
  }

  /** The likeliest token at each place. */
  public static SamplingParameters greedy(int maxNewTokens) {
    return new SamplingParameters(0, 0, 1, maxNewTokens, List.of(), OptionalLong.empty());
  }
}
