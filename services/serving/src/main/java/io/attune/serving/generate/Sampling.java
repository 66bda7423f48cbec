package io.attune.serving.generate;

import io.attune.common.v1.ErrorCode;
import io.attune.engine.EngineException;
import io.attune.engine.generate.SamplingParameters;
import io.attune.platform.error.PlatformException;

/**
 * How tokens are chosen: the engine's parameters, within the limits of the contract.
 *
 * @param parameters temperature at most {@value #MAX_TEMPERATURE}, at most {@value #MAX_STOP} stop
 *     texts
 */
public record Sampling(SamplingParameters parameters) {

  /** The contract's default for gRPC callers. */
  public static final double DEFAULT_TEMPERATURE = 0.7;

  public static final double MAX_TEMPERATURE = 5;

  /** As OpenAI's API. */
  public static final int MAX_STOP = 4;

  /**
   * @throws PlatformException INVALID_ARGUMENT naming the value that is out of range
   */
  public Sampling {
    require(
        parameters.temperature() <= MAX_TEMPERATURE,
        "temperature must lie between 0 and 5, got " + parameters.temperature());
    require(
        parameters.stop().size() <= MAX_STOP,
        "at most " + MAX_STOP + " stop texts are taken, got " + parameters.stop().size());
  }

  /**
   * @throws PlatformException INVALID_ARGUMENT naming the value that is out of range
   */
  public static Sampling of(SamplingParameters.Builder parameters) {
    try {
      return new Sampling(parameters.build());
    } catch (EngineException refused) {
      throw invalid(refused.getMessage());
    }
  }

  /** The same with seed + i, so that several answers to one question differ but can be repeated. */
  public Sampling forAnswer(int i) {
    if (parameters.seed().isEmpty() || i == 0) {
      return this;
    }
    return new Sampling(parameters.toBuilder().seed(parameters.seed().getAsLong() + i).build());
  }

  /** The same, whose answers tell with which probability each of their tokens was drawn. */
  public Sampling tellingDrawn() {
    return of(parameters.toBuilder().processedLogProbabilities(true));
  }

  private static void require(boolean holds, String otherwise) {
    if (!holds) {
      throw invalid(otherwise);
    }
  }

  private static PlatformException invalid(String why) {
    return new PlatformException(ErrorCode.ERROR_CODE_INVALID_ARGUMENT, why + ".");
  }
}
