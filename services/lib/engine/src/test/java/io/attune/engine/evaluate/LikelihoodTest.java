package io.attune.engine.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.attune.engine.EngineException;
import io.attune.engine.Golden;
import io.attune.engine.checkpoint.HubLayout;
import io.attune.engine.data.Examples;
import io.attune.engine.token.Tokenizer;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class LikelihoodTest {
  /** Probabilities 1/7, 2/7 and 4/7, whatever came before. */
  private static float[] logits(int[] ids) {
    float[] logits = new float[3 * ids.length];
    for (int i = 0; i < logits.length; i++) {
      logits[i] = (float) Math.log(1 << i % 3);
    }
    return logits;
  }

  @Test
  void windowsPredictAllTokensButTheirFirst() {
    try (Tokenizer tokenizer = Tokenizer.open(HubLayout.of(Golden.path("models/llama")))) {
      Examples examples = new Examples(tokenizer, Optional.empty(), Set.of(), 8);
      Likelihood likelihood = new Likelihood(examples, LikelihoodTest::logits, 3);

      likelihood.addWindow(new int[] {0, 2, 2, 1});
      likelihood.addWindow(new int[] {2, 0});
      likelihood.addWindow(new int[] {1});

      assertThat(likelihood.rows()).isEqualTo(3);
      assertThat(likelihood.tokens()).isEqualTo(4);
      double product = 4.0 / 7 * 4 / 7 * 2 / 7 * 1 / 7;
      assertThat(likelihood.perplexity()).isCloseTo(Math.pow(product, -1.0 / 4), within(1e-6));
      assertThat(likelihood.accuracy()).isEqualTo(0.5);
    }
  }

  @Test
  void nothingPredictedIsAnError() {
    try (Tokenizer tokenizer = Tokenizer.open(HubLayout.of(Golden.path("models/llama")))) {
      Examples examples = new Examples(tokenizer, Optional.empty(), Set.of(), 8);
      Likelihood likelihood = new Likelihood(examples, LikelihoodTest::logits, 3);
      likelihood.addWindow(new int[] {1});

      assertThatThrownBy(likelihood::perplexity)
          .isInstanceOf(EngineException.class)
          .hasMessageContaining("needs rows of text");
    }
  }
}
