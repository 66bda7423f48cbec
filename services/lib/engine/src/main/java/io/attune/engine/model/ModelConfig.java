package io.attune.engine.model;

import java.util.List;

/**
 * What every family's {@code config.json} says in one way or another.
 *
 * @param eosTokenIds ids that end a text; empty if the config names none
 * @param padTokenId -1 if the config names none
 * @param initializerRange standard deviation of fresh weights
 */
public record ModelConfig(
    String modelType,
    int vocabSize,
    int hiddenSize,
    int layers,
    int maxPositions,
    boolean tieWordEmbeddings,
    double initializerRange,
    List<Integer> eosTokenIds,
    int bosTokenId,
    int padTokenId) {}
