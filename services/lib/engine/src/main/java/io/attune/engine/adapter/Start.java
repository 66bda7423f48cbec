package io.attune.engine.adapter;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What a new adapter is made from, besides its configuration and the base model.
 *
 * @param seed what its random values follow from
 * @param modules fresh values of {@link BaseModel#added()}, by name; they are copied
 * @param tokenizer from a text to its ids, special tokens included
 * @param original the model's weights before they were quantized
 */
public record Start(
    long seed, Map<String, NDArray> modules, Function<String, int[]> tokenizer, Original original) {

  /** The dense weights of a model that is quantized. */
  @FunctionalInterface
  public interface Original {
    /** A weight by name, in {@code scope}; null if it is not at hand. */
    @Nullable NDArray read(String weight, NDManager scope);
  }

  /** Where the model is not quantized. */
  public Start(long seed, Map<String, NDArray> modules, Function<String, int[]> tokenizer) {
    this(seed, modules, tokenizer, (weight, scope) -> null);
  }
}
