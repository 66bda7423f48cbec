package io.attune.engine.online;

import io.attune.engine.model.Decoder;
import java.util.Set;
import java.util.function.Function;

/**
 * How the policy writes.
 *
 * @param decoders gives decoders of the policy as it is
 * @param virtualTokens ids that come before every prompt: an adapter's
 * @param endings tokens that end a text
 * @param text of ids, without special tokens
 */
@SuppressWarnings("ArrayRecordComponent") // read-only by convention
public record Generation(
    Decoders decoders, int[] virtualTokens, Set<Integer> endings, Function<int[], String> text) {

  /** Makes a decoder of the weights as they are now, and frees it. */
  public interface Decoders {
    <T> T with(Function<Decoder, T> use);
  }
}
