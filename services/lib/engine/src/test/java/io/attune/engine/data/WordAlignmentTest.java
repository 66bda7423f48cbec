package io.attune.engine.data;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.Golden;
import io.attune.engine.checkpoint.HubLayout;
import io.attune.engine.token.EncoderTokenizer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Words get tokens and labels as in transformers' run_ner.py; see golden/kinds/make_kinds.py. */
class WordAlignmentTest {
  private static final Map<String, Integer> CLASSES = Map.of("O", 0, "PER", 1, "ORG", 2, "LOC", 3);

  @ParameterizedTest
  @CsvSource({"bert-tokens", "roberta-tokens"})
  void theFirstTokenOfAWordHasItsLabel(String model) throws IOException {
    HubLayout layout = HubLayout.of(Golden.path("models/" + model));
    try (EncoderTokenizer tokenizer = EncoderTokenizer.openForWords(layout, 24, true)) {
      ClassificationExamples examples =
          new ClassificationExamples(
              row -> tokenizer.encode(row.text()),
              label -> new double[] {CLASSES.get(((Label.Name) label).name())});
      JsonNode cases = Golden.json("kinds/alignment.json").get(model);
      assertThat(cases).hasSizeGreaterThan(5);
      for (JsonNode each : cases) {
        Row row = Rows.parse(rowOf(each), "row");
        LabelledText text = examples.tokens(row, tokenizer).orElseThrow();
        assertThat(text.text().ids()).isEqualTo(Golden.ints(each.at("/expected/input_ids")));
        int[] labels = new int[text.text().length()];
        Arrays.fill(labels, -100);
        for (int i = 0; i < text.places().length; i++) {
          labels[text.places()[i]] = (int) text.targets()[i][0];
        }
        assertThat(labels).isEqualTo(Golden.ints(each.at("/expected/labels")));
      }
    }
  }

  private static String rowOf(JsonNode each) {
    List<String> fields = new ArrayList<>();
    for (String key : List.of("tokens", "labels")) {
      fields.add("\"" + key + "\": " + each.get(key));
    }
    return "{" + String.join(", ", fields) + "}";
  }
}
