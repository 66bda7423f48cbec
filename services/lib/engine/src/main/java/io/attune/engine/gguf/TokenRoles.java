package io.attune.engine.gguf;

import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * Ids of the tokens with a role.
 *
 * @param ends every token after which generation stops: the end of a text, of a turn, of a message
 */
record TokenRoles(
    OptionalInt bos, OptionalInt eos, OptionalInt unk, OptionalInt pad, SortedSet<Integer> ends) {

  /**
   * @param tokens size of the vocabulary; an id beyond it is refused
   * @param sentencePiece whether llama.cpp's defaults for that kind hold: 1 begins, 2 ends a text,
   *     0 is unknown
   */
  static TokenRoles read(GgufMetadata metadata, int tokens, boolean sentencePiece) {
    OptionalInt bos = id(metadata, "bos", tokens, sentencePiece ? 1 : -1);
    OptionalInt eos = id(metadata, "eos", tokens, sentencePiece ? 2 : -1);
    OptionalInt unk = id(metadata, "unknown", tokens, sentencePiece ? 0 : -1);
    OptionalInt pad = id(metadata, "padding", tokens, -1);
    SortedSet<Integer> ends = new TreeSet<>();
    eos.ifPresent(ends::add);
    id(metadata, "eot", tokens, -1).ifPresent(ends::add);
    id(metadata, "eom", tokens, -1).ifPresent(ends::add);
    return new TokenRoles(bos, eos, unk, pad, ends);
  }

  private static OptionalInt id(GgufMetadata metadata, String role, int tokens, int absent) {
    String key = "tokenizer.ggml." + role + "_token_id";
    OptionalLong id = metadata.integer(key);
    if (id.isEmpty()) {
      return absent >= 0 && absent < tokens ? OptionalInt.of(absent) : OptionalInt.empty();
    }
    if (id.getAsLong() < 0 || id.getAsLong() >= tokens) {
      throw metadata.corrupt(
          key, "is " + id.getAsLong() + "; the vocabulary has " + tokens + " tokens");
    }
    return OptionalInt.of((int) id.getAsLong());
  }
}
