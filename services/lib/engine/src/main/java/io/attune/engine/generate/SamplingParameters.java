package io.attune.engine.generate;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/**
 * How tokens are chosen. Names and meanings are transformers'; the presence and frequency penalties
 * and the ranges are OpenAI's. They apply in transformers' order: logit bias, repetition penalty,
 * frequency and presence penalty, temperature, top-k, top-p, min-p.
 *
 * @param temperature divides the logits; 0 is greedy
 * @param topK keeps the k likeliest tokens; 0 keeps all
 * @param topP keeps the likeliest tokens whose probabilities reach p, 0 &lt; p &lt;= 1
 * @param minP drops tokens whose probability is less than this share of the likeliest one's, 0 to 1
 *     (arXiv 2407.01082)
 * @param repetitionPenalty divides the positive and multiplies the negative logits of tokens that
 *     the prompt or the text has, more than 0; 1 changes nothing (arXiv 1909.05858)
 * @param presencePenalty is taken from the logits of tokens that the text has, -2 to 2
 * @param frequencyPenalty is taken from a token's logit for each time that the text has it, -2 to 2
 * @param logitBias is added to the logits of these token ids, -100 to 100
 * @param topLogProbabilities how many of the likeliest tokens are told at each place, 0 to 20
 * @param processedLogProbabilities whether a chosen token's log-probability is that with which it
 *     was drawn, after bias, penalties and temperature but before truncation (vLLM's {@code
 *     processed_logprobs}); else the model's own
 * @param maxNewTokens at least 1
 * @param stop texts that end the answer and are not part of it
 * @param seed makes sampling repeatable; a random one when empty
 */
public record SamplingParameters(
    double temperature,
    int topK,
    double topP,
    double minP,
    double repetitionPenalty,
    double presencePenalty,
    double frequencyPenalty,
    Map<Integer, Double> logitBias,
    int topLogProbabilities,
    boolean processedLogProbabilities,
    int maxNewTokens,
    List<String> stop,
    OptionalLong seed) {

  /** Largest presence or frequency penalty, either way. */
  public static final double MAX_PENALTY = 2;

  /** Largest bias, either way. */
  public static final double MAX_BIAS = 100;

  public static final int MAX_TOP_LOG_PROBABILITIES = 20;

  /**
   * @throws EngineException INVALID_ARGUMENT naming the value that is out of range
   */
  public SamplingParameters {
    require(
        temperature >= 0 && temperature <= Double.MAX_VALUE,
        "temperature must be 0 (greedy) or more, got " + temperature);
    require(topK >= 0, "top_k must be 0 (all tokens) or more, got " + topK);
    require(topP > 0 && topP <= 1, "top_p must be more than 0 and at most 1, got " + topP);
    require(minP >= 0 && minP <= 1, "min_p must lie between 0 and 1, got " + minP);
    require(
        repetitionPenalty > 0 && repetitionPenalty <= Double.MAX_VALUE,
        "repetition_penalty must be more than 0, got " + repetitionPenalty);
    requirePenalty("presence_penalty", presencePenalty);
    requirePenalty("frequency_penalty", frequencyPenalty);
    logitBias = Map.copyOf(logitBias);
    logitBias.forEach(SamplingParameters::requireBias);
    require(
        topLogProbabilities >= 0 && topLogProbabilities <= MAX_TOP_LOG_PROBABILITIES,
        "0 to "
            + MAX_TOP_LOG_PROBABILITIES
            + " top log-probabilities can be asked for, got "
            + topLogProbabilities);
    require(maxNewTokens >= 1, "at least 1 new token must be asked for, got " + maxNewTokens);
    stop = List.copyOf(stop);
    require(stop.stream().noneMatch(String::isEmpty), "a stop text must not be empty");
  }

  private static void requirePenalty(String name, double value) {
    require(
        value >= -MAX_PENALTY && value <= MAX_PENALTY,
        name + " must lie between -2 and 2, got " + value);
  }

  private static void requireBias(int token, double bias) {
    require(
        bias >= -MAX_BIAS && bias <= MAX_BIAS,
        "logit_bias of token " + token + " must lie between -100 and 100, got " + bias);
    require(token >= 0, "logit_bias names token " + token + ", which is no token id");
  }

  private static void require(boolean holds, String otherwise) {
    if (!holds) {
      throw new EngineException(Reason.INVALID_ARGUMENT, otherwise);
    }
  }

  /**
   * @throws EngineException INVALID_ARGUMENT naming a biased token that a vocabulary of this size
   *     has not
   */
  public void requireWithin(int vocabulary) {
    for (int token : logitBias.keySet()) {
      require(
          token < vocabulary,
          "logit_bias names token %d; the vocabulary has %d".formatted(token, vocabulary));
    }
  }

  /** The likeliest token at each place. */
  public static SamplingParameters greedy(int maxNewTokens) {
    return builder().temperature(0).maxNewTokens(maxNewTokens).build();
  }

  /** Draws from the model's own distribution until the context is full, until told otherwise. */
  public static Builder builder() {
    return new Builder();
  }

  /** These parameters, to change some of them. */
  public Builder toBuilder() {
    return new Builder()
        .temperature(temperature)
        .topK(topK)
        .topP(topP)
        .minP(minP)
        .repetitionPenalty(repetitionPenalty)
        .presencePenalty(presencePenalty)
        .frequencyPenalty(frequencyPenalty)
        .logitBias(logitBias)
        .topLogProbabilities(topLogProbabilities)
        .processedLogProbabilities(processedLogProbabilities)
        .maxNewTokens(maxNewTokens)
        .stop(stop)
        .seed(seed);
  }

  /** Collects parameters; what is not set changes nothing. */
  public static final class Builder {
    private double temperature = 1;
    private int topK;
    private double topP = 1;
    private double minP;
    private double repetitionPenalty = 1;
    private double presencePenalty;
    private double frequencyPenalty;
    private Map<Integer, Double> logitBias = Map.of();
    private int topLogProbabilities;
    private boolean processedLogProbabilities;
    private int maxNewTokens = Integer.MAX_VALUE;
    private List<String> stop = List.of();
    private OptionalLong seed = OptionalLong.empty();

    private Builder() {}

    public Builder temperature(double value) {
      temperature = value;
      return this;
    }

    public Builder topK(int value) {
      topK = value;
      return this;
    }

    public Builder topP(double value) {
      topP = value;
      return this;
    }

    public Builder minP(double value) {
      minP = value;
      return this;
    }

    public Builder repetitionPenalty(double value) {
      repetitionPenalty = value;
      return this;
    }

    public Builder presencePenalty(double value) {
      presencePenalty = value;
      return this;
    }

    public Builder frequencyPenalty(double value) {
      frequencyPenalty = value;
      return this;
    }

    public Builder logitBias(Map<Integer, Double> value) {
      logitBias = value;
      return this;
    }

    public Builder topLogProbabilities(int value) {
      topLogProbabilities = value;
      return this;
    }

    public Builder processedLogProbabilities(boolean value) {
      processedLogProbabilities = value;
      return this;
    }

    public Builder maxNewTokens(int value) {
      maxNewTokens = value;
      return this;
    }

    public Builder stop(List<String> value) {
      stop = value;
      return this;
    }

    public Builder seed(OptionalLong value) {
      seed = value;
      return this;
    }

    public Builder seed(long value) {
      return seed(OptionalLong.of(value));
    }

    /**
     * @throws EngineException INVALID_ARGUMENT naming the value that is out of range
     */
    public SamplingParameters build() {
      return new SamplingParameters(
          temperature,
          topK,
          topP,
          minP,
          repetitionPenalty,
          presencePenalty,
          frequencyPenalty,
          logitBias,
          topLogProbabilities,
          processedLogProbabilities,
          maxNewTokens,
          stop,
          seed);
    }
  }
}
