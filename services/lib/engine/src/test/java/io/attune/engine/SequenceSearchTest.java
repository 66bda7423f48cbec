package io.attune.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.generate.BeamSearchParameters;
import io.attune.engine.generate.BeamSearchParameters.EarlyStopping;
import io.attune.engine.generate.ScoredText;
import io.attune.engine.generate.TokenConstraints;
import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Beam searches over prompts of different lengths, with what transformers found and its scores. */
class SequenceSearchTest {
  private static final int MAX_NEW_TOKENS = 14;

  @ParameterizedTest
  @ValueSource(strings = {"t5-relu", "t5-untied", "bart-scaled"})
  void searchesFindWhatTransformersFindsWithItsScores(String name) throws IOException {
    String folder = "models/" + name;
    JsonNode expected = Golden.json(folder + "/expected.json");
    List<int[]> sources = Golden.sequences(expected);
    int searches = 0;
    try (SequenceToSequence model =
        SequenceToSequence.load(Golden.path(folder), LoadOptions.defaults())) {
      for (JsonNode search : expected.get("search")) {
        JsonNode asked = search.get("parameters");
        if (asked.get("num_beams").asInt() == 1) {
          continue; // no search
        }
        searches++;
        BeamSearchParameters parameters =
            new BeamSearchParameters(
                asked.get("num_beams").asInt(),
                asked.path("length_penalty").asDouble(1),
                EarlyStopping.of(asked.path("early_stopping").asText("false")),
                asked.path("num_return_sequences").asInt(1));
        TokenConstraints constraints = constraints(model, asked);
        List<List<ScoredText>> together = model.search(sources, null, parameters, constraints);
        for (int row = 0; row < sources.size(); row++) {
          List<ScoredText> alone =
              model.search(List.of(sources.get(row)), null, parameters, constraints).get(0);
          assertTexts(together.get(row), search, row);
          assertTexts(alone, search, row);
        }
      }
    }
    assertThat(searches).isEqualTo(8);
  }

  private static void assertTexts(List<ScoredText> found, JsonNode search, int row) {
    JsonNode texts = search.get("texts").get(row);
    assertThat(found).hasSize(texts.size());
    for (int i = 0; i < texts.size(); i++) {
      assertThat(found.get(i).tokens())
          .as("%s, prompt %d, text %d", search.get("parameters"), row, i)
          .containsExactly(Golden.ints(texts.get(i)));
      assertThat(found.get(i).score())
          .isCloseTo(search.get("scores").get(row).get(i).floatValue(), within(1e-4f));
    }
  }

  static TokenConstraints constraints(SequenceToSequence model, JsonNode asked) {
    TokenConstraints own =
        model.constraints(
            MAX_NEW_TOKENS,
            asked.path("min_length").asInt(0),
            asked.path("no_repeat_ngram_size").asInt(0));
    Set<Integer> eos = new HashSet<>();
    if (asked.get("eos_token_id").isArray()) {
      asked.get("eos_token_id").forEach(id -> eos.add(id.asInt()));
    } else {
      eos.add(asked.get("eos_token_id").asInt());
    }
    return new TokenConstraints(
        own.minLength(),
        own.noRepeatNgramSize(),
        asked.path("forced_bos_token_id").asInt(own.forcedBosTokenId()),
        asked.has("forced_eos_token_id")
            ? List.of(asked.get("forced_eos_token_id").asInt())
            : own.forcedEosTokenIds(),
        eos,
        own.maxLength());
  }
}
