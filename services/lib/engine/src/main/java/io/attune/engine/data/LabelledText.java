package io.attune.engine.data;

import io.attune.engine.token.TokenizedText;

/**
 * A text, or a pair of texts, and what a classifier should say about it or about its tokens.
 *
 * @param places of the tokens that have a label; empty where the text has one
 * @param targets for each place (or for the text) the index of its class, the value that each label
 *     has, or for each label whether it holds (1 or 0), by the kind of classification
 */
@SuppressWarnings(
    "ArrayRecordComponent") // read-only by convention; copying every row costs too much
public record LabelledText(TokenizedText text, int[] places, double[][] targets) {
  public LabelledText {
    if (targets.length != Math.max(1, places.length)) {
      throw new IllegalArgumentException(
          places.length + " places, but " + targets.length + " targets");
    }
  }
}
