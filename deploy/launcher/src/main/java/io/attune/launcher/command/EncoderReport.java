package io.attune.launcher.command;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.model.ClassLabels;
import io.attune.engine.model.ProblemType;
import io.attune.engine.token.TokenizedText;
import io.attune.engine.token.Tokenizer;

/** What an encoder says of a text, in the words of its labels. */
final class EncoderReport {
  private final ClassLabels labels;
  private final Tokenizer tokenizer;

  EncoderReport(ClassLabels labels, Tokenizer tokenizer) {
    this.labels = labels;
    this.tokenizer = tokenizer;
  }

  /** {@code embedding: [...]}. */
  void addEmbedding(ObjectNode line, float[] embedding) {
    ArrayNode values = line.putArray("embedding");
    for (float value : embedding) {
      values.add(value);
    }
  }

  /** The likeliest label and its probability; or of each label its probability, or its value. */
  void addText(ObjectNode line, float[] logits) {
    if (labels.problemType() == ProblemType.SINGLE_LABEL_CLASSIFICATION) {
      addLikeliest(line, logits, 0);
      return;
    }
    ObjectNode each = line.putObject("labels");
    for (int i = 0; i < logits.length; i++) {
      boolean value = labels.problemType() == ProblemType.REGRESSION;
      each.put(labels.names().get(i), value ? logits[i] : 1 / (1 + Math.exp(-logits[i])));
    }
  }

  /** {@code tokens: [...]}, each with its likeliest label. */
  void addTokens(ObjectNode line, TokenizedText text, float[] logits) {
    ArrayNode tokens = line.putArray("tokens");
    for (int t = 0; t < text.length(); t++) {
      ObjectNode token = tokens.addObject();
      token.put("token", tokenizer.decode(new int[] {text.ids()[t]}, false));
      addLikeliest(token, logits, t * labels.count());
    }
  }

  private void addLikeliest(ObjectNode line, float[] logits, int offset) {
    int best = 0;
    for (int i = 1; i < labels.count(); i++) {
      best = logits[offset + i] > logits[offset + best] ? i : best;
    }
    double total = 0;
    for (int i = 0; i < labels.count(); i++) {
      total += Math.exp(logits[offset + i] - logits[offset + best]);
    }
    line.put("label", labels.names().get(best)).put("score", 1 / total);
  }
}
