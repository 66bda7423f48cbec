package io.attune.engine.token;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.Golden;
import io.attune.engine.checkpoint.HubLayout;
import java.io.IOException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * T5's unigrams with SentencePiece's normalisation, and BART's byte pairs: ids and texts of the
 * reference, the end token that the tokenizer appends among them.
 */
class EncoderDecoderTokenizerTest {

  @ParameterizedTest
  @ValueSource(strings = {"t5", "bart"})
  void idsAndTextsAreThoseOfTheReference(String name) throws IOException {
    JsonNode expected = Golden.json("tokenizer/" + name + "/expected.json");
    assertThat(expected.get("texts")).hasSizeGreaterThan(15);
    try (Tokenizer tokenizer = Tokenizer.open(new HubLayout(Golden.path("tokenizer/" + name)))) {
      for (JsonNode text : expected.get("texts")) {
        int[] ids = Golden.ints(text.get("ids"));
        assertThat(tokenizer.encode(text.get("text").asText(), true))
            .as(text.get("text").asText())
            .containsExactly(ids);
        assertThat(ids[ids.length - 1]).isEqualTo(tokenizer.eosTokenId().getAsInt());
        assertThat(tokenizer.decode(ids, true)).isEqualTo(text.get("decoded").asText());
      }
    }
  }
}
