package io.attune.reward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attune.common.v1.ErrorCode;
import io.attune.engine.data.Content;
import io.attune.platform.error.PlatformException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Reward models that are no adapters of the base model. */
class ScorerTest {
  private static final Path GOLDEN = Path.of("../lib/engine/src/test/resources/golden");

  private final Scorer scorer = new Scorer(GOLDEN.resolve("models/llama"), 1);

  @AfterEach
  void close() {
    scorer.close();
  }

  /** An encoder scores prompt and answer as transformers does. */
  @Test
  void anEncoderIsLoadedByItsFolder() throws IOException {
    JsonNode run = new ObjectMapper().readTree(GOLDEN.resolve("rewards/scores/run.json").toFile());
    List<PromptAnswer> answers = new ArrayList<>();
    for (JsonNode text : run.get("texts")) {
      answers.add(new PromptAnswer(new Content.Text(text.get(0).asText()), text.get(1).asText()));
    }
    try (Scorer.Model model = scorer.load(GOLDEN.resolve("models/bert-regression"))) {
      float[] scores = model.score(answers);
      assertThat(scores).hasSameSizeAs(answers);
      for (int i = 0; i < scores.length; i++) {
        assertThat((double) scores[i]).isCloseTo(run.get("before").get(i).asDouble(), within(1e-4));
      }
    }
  }

  @Test
  void aClassifierIsNoRewardModel() {
    assertThatThrownBy(() -> scorer.load(GOLDEN.resolve("models/bert-classifier")))
        .isInstanceOf(PlatformException.class)
        .hasMessageContaining("is no reward model")
        .extracting(failure -> ((PlatformException) failure).code())
        .isEqualTo(ErrorCode.ERROR_CODE_INCOMPATIBLE);
  }
}
