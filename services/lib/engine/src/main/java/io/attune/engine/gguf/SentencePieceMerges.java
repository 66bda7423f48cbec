package io.attune.engine.gguf;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The merges that a SentencePiece vocabulary implies: every way to put a piece together from two
 * others, best scores first. As {@code generate_merges} of transformers orders them: by score, then
 * by the lengths of the parts, then by ids.
 */
final class SentencePieceMerges {
  private static final String SCORES = "tokenizer.ggml.scores";

  /** SentencePiece makes pieces of 16 characters unless told otherwise. */
  private static final int MAX_LENGTH = 128;

  private static final int MAX_MERGES = 1 << 20;

  /** Two tokens by id, and the one that they make. */
  record Merge(int left, int right, int whole) {}

  private SentencePieceMerges() {}

  static List<Merge> of(GgufMetadata metadata, TokenVocabulary vocabulary) {
    float[] scores = metadata.floats(SCORES);
    List<String> tokens = vocabulary.tokens();
    if (scores.length != tokens.size()) {
      throw metadata.corrupt(
          SCORES, "has " + scores.length + " scores for " + tokens.size() + " tokens");
    }
    List<Merge> merges = new ArrayList<>();
    for (int id = 0; id < scores.length; id++) {
      if (Float.isNaN(scores[id])) {
        throw metadata.corrupt(SCORES, "has NaN for token " + id);
      }
      add(merges, id, vocabulary, metadata);
    }
    merges.sort(
        Comparator.comparingDouble((Merge m) -> scores[m.whole])
            .thenComparingInt(m -> length(tokens.get(m.left)))
            .thenComparingInt(m -> length(tokens.get(m.right)))
            .reversed()
            .thenComparingInt(Merge::whole)
            .thenComparingInt(Merge::left)
            .thenComparingInt(Merge::right));
    return merges;
  }

  private static void add(
      List<Merge> merges, int id, TokenVocabulary vocabulary, GgufMetadata metadata) {
    String token = vocabulary.tokens().get(id);
    if (token.length() > MAX_LENGTH && !vocabulary.special().contains(id)) {
      throw metadata.unsupported(
          "tokenizer.ggml.tokens", "has a piece of " + token.length() + " characters, token " + id);
    }
    for (int cut = 1; cut < token.length() && token.length() <= MAX_LENGTH; cut++) {
      if (Character.isLowSurrogate(token.charAt(cut))) {
        continue;
      }
      Integer left = vocabulary.ids().get(token.substring(0, cut));
      Integer right = vocabulary.ids().get(token.substring(cut));
      if (left != null && right != null) {
        merges.add(new Merge(left, right, id));
      }
      if (merges.size() > MAX_MERGES) {
        throw metadata.unsupported(
            "tokenizer.ggml.tokens", "implies more than " + MAX_MERGES + " merges");
      }
    }
  }

  private static int length(String token) {
    return token.codePointCount(0, token.length());
  }
}
