package io.attune.engine.gguf;

import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * The tokens of a file, by id, as tokenizer.json spells them.
 *
 * @param special ids of tokens that are found in a text before it is cut, and left out when ids are
 *     decoded
 * @param added ids of the others that are found before a text is cut
 */
record TokenVocabulary(
    List<String> tokens,
    Map<String, Integer> ids,
    TokenRoles roles,
    SortedSet<Integer> special,
    SortedSet<Integer> added) {

  private static final String TOKENS = "tokenizer.ggml.tokens";
  private static final String TYPES = "tokenizer.ggml.token_type";

  private static final int CONTROL = 3;
  private static final int USER_DEFINED = 4;

  static TokenVocabulary read(GgufMetadata metadata, boolean sentencePiece) {
    List<String> tokens = metadata.texts(TOKENS);
    if (tokens.isEmpty()) {
      throw metadata.corrupt(TOKENS, "is missing or empty: the file has no vocabulary");
    }
    int[] types = metadata.integers(TYPES);
    if (types.length > 0 && types.length != tokens.size()) {
      throw metadata.corrupt(
          TYPES, "has " + types.length + " types for " + tokens.size() + " tokens");
    }
    TokenRoles roles = TokenRoles.read(metadata, tokens.size(), sentencePiece);
    SortedSet<Integer> special = new TreeSet<>();
    SortedSet<Integer> added = new TreeSet<>();
    for (OptionalInt role : List.of(roles.bos(), roles.eos(), roles.unk(), roles.pad())) {
      role.ifPresent(special::add);
    }
    for (int id = 0; id < types.length; id++) {
      if (types[id] == CONTROL) {
        special.add(id);
      } else if (types[id] == USER_DEFINED && !special.contains(id)) {
        added.add(id);
      }
    }
    Map<String, Integer> ids = new HashMap<>(tokens.size() * 2);
    for (int id = 0; id < tokens.size(); id++) {
      String token = tokens.get(id);
      // What is searched for in texts stays as it is; the rest is met as bytes only.
      if (!sentencePiece
          && !special.contains(id)
          && !added.contains(id)
          && !ByteAlphabet.spells(token)) {
        token = ByteAlphabet.spell(token);
        tokens.set(id, token);
      }
      Integer other = ids.put(token, id);
      if (other != null) {
        throw metadata.corrupt(
            TOKENS, "has '" + token + "' twice, as tokens " + other + " and " + id);
      }
      if (token.isEmpty() && (special.contains(id) || added.contains(id))) {
        throw metadata.corrupt(TOKENS, "has an empty special token " + id);
      }
    }
    return new TokenVocabulary(
        Collections.unmodifiableList(tokens),
        Collections.unmodifiableMap(ids),
        roles,
        special,
        added);
  }
}
