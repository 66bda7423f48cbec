package io.attune.serving.generate;

import io.attune.common.v1.ErrorCode;
import io.attune.platform.error.PlatformException;
import java.util.List;
import java.util.OptionalLong;

/**
 * How tokens are chosen.
 *
 * @param temperature 0 to 5; 0 is greedy
 * @param topK 0 keeps all tokens
 * @param topP more than 0, at most 1
 * @param maxNewTokens at least 1
 * @param stop at most {@value #MAX_STOP} texts
 * @param seed makes sampling repeatable; a random one when empty
 */
public record Sampling(
    double temperature,
    int topK,
    double topP,
    int maxNewTokens,
    List<String> stop,
    OptionalLong seed) {

  /** The contract's default for gRPC callers. */
  public static final double DEFAULT_TEMPERATURE = 0.7;

  /** As OpenAI's API. */
  public static final int MAX_STOP = 4;

  private static final double MAX_TEMPERATURE = 5;

  /**
   * @throws PlatformException INVALID_ARGUMENT naming the value that is out of range
   */
  public Sampling {
    require(
        temperature >= 0 && temperature <= MAX_TEMPERATURE,
        "temperature must lie between 0 and 5, got " + temperature);
    require(topK >= 0, "top_k must be 0 (all tokens) or more, got " + topK);
    require(topP > 0 && topP <= 1, "top_p must be more than 0 and at most 1, got " + topP);
    require(maxNewTokens >= 1, "at least 1 new token must be asked for, got " + maxNewTokens);
    require(
        stop.size() <= MAX_STOP,
        "at most " + MAX_STOP + " stop texts are taken, got " + stop.size());
    require(stop.stream().noneMatch(String::isEmpty), "a stop text must not be empty");
    stop = List.copyOf(stop);
  }

  /** The same with seed + i, so that several answers to one question differ but can be repeated. */
  public Sampling forAnswer(int i) {
    if (seed.isEmpty() || i == 0) {
      return this;
    }
    var shifted = OptionalLong.of(seed.getAsLong() + i);
    return new Sampling(temperature, topK, topP, maxNewTokens, stop, shifted);
  }

  private static void require(boolean holds, String otherwise) {
    if (!holds) {
      throw new PlatformException(ErrorCode.ERROR_CODE_INVALID_ARGUMENT, otherwise + ".");
    }
  }
}
