package io.attune.launcher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.LoadOptions;
import io.attune.engine.TextEncoder;
import io.attune.engine.token.EncoderTokenizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** {@code attune evaluate} of classifiers of texts. */
class EvaluateClassifierTest extends EvaluateCalls {
  private static final int LIMIT = 3;

  /** Four of five labels are the classes of the largest logits, which agree with transformers. */
  @Test
  void classifiersAreMeasuredByNamesAndNumbersOfLabels() throws Exception {
    List<String> texts =
        List.of("The License", "You may not", "a", "Work and Derivative Works", "b");
    List<Integer> classes = new ArrayList<>();
    try (TextEncoder model = TextEncoder.load(Path.of(BERT), LoadOptions.defaults())) {
      for (float[] logits : model.classify(texts)) {
        classes.add(best(logits));
      }
    }
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < texts.size(); i++) {
      var row = JSON.createObjectNode().put("text", texts.get(i));
      int right = i == 4 ? (classes.get(i) + 1) % 3 : classes.get(i);
      lines.add(
          (i % 2 == 0 ? row.put("label", right) : row.put("label", "LABEL_" + right)).toString());
    }
    Path rows = write("rows.jsonl", lines.toArray(String[]::new));

    JsonNode result =
        evaluate("--model", BERT, "--task", "accuracy,f1,mcc", "--data", rows.toString());

    assertThat(value(result, "accuracy")).isCloseTo(0.8, within(1e-12));
    assertThat(metric(result, "macro f1").get("signature").asText()).isEqualTo("average:macro");
    assertThat(value(result, "macro precision")).isBetween(0.0, 1.0);
    assertThat(value(result, "macro recall")).isBetween(0.0, 1.0);
    assertThat(value(result, "mcc")).isBetween(-1.0, 1.0);
    JsonNode micro =
        evaluate("--model", BERT, "--task", "f1", "--average", "micro", "--data", rows.toString());
    assertThat(value(micro, "micro f1")).isCloseTo(0.8, within(1e-12));
  }

  /** The class of these texts depends on where they are cut. */
  @Test
  void classifiersReadAsManyTokensAsAsked() throws Exception {
    List<String> texts = List.of("version Apache 2004", "of distributed");
    List<String> lines = new ArrayList<>();
    try (TextEncoder model = TextEncoder.load(Path.of(BERT), LoadOptions.defaults());
        EncoderTokenizer cutting = model.tokenizer(LIMIT)) {
      for (String text : texts) {
        assertThat(model.tokenize(text).ids().length).isGreaterThan(LIMIT);
        int cut = best(model.logits(List.of(cutting.encode(text)), null, false).get(0));
        assertThat(best(model.classify(List.of(text)).get(0))).as(text).isNotEqualTo(cut);
        lines.add(JSON.createObjectNode().put("text", text).put("label", cut).toString());
      }
    }
    String rows = write("cut.jsonl", lines.toArray(String[]::new)).toString();
    String[] whole = {"--model", BERT, "--task", "accuracy", "--data", rows};
    assertThat(value(evaluate(whole), "accuracy")).isZero();
    String limit = Integer.toString(LIMIT);
    String[] cut = {"--model", BERT, "--task", "accuracy", "--data", rows, "--max-length", limit};
    assertThat(value(evaluate(cut), "accuracy")).isEqualTo(1);
  }

  private static int best(float[] logits) {
    int best = 0;
    for (int k = 1; k < logits.length; k++) {
      best = logits[k] > logits[best] ? k : best;
    }
    return best;
  }
}
