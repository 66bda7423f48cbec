package io.attune.engine.adapter;

import ai.djl.ndarray.NDArray;
import java.util.Map;
import java.util.function.Function;

/**
 * What a new adapter is made from, besides its configuration and the base model.
 *
 * @param seed what its random values follow from
 * @param modules fresh values of {@link BaseModel#added()}, by name; they are copied
 * @param tokenizer from a text to its ids, special tokens included
 */
public record Start(long seed, Map<String, NDArray> modules, Function<String, int[]> tokenizer) {}
