package io.attune.engine.online;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.data.Content;
import io.attune.engine.data.Row;
import io.attune.engine.online.RolloutExchange.Written;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ExchangedRolloutsTest {
  private static final Prompt PROMPT =
      new Prompt(
          new Row.Prompt(new Content.Text("hello"), Map.of("prompt", "hello")),
          "hello",
          new int[] {1, 2});

  @Test
  void completionsComeWithTheirScoresAndLogProbabilities() {
    ExchangedRollouts source =
        answering(written(new int[] {1, 2}, -0.5), written(new int[] {1, 2}, -1.5));

    List<Rollout> rollouts = source.write(List.of(PROMPT), 2, "rollouts", 0);

    assertThat(source.isElsewhere()).isTrue();
    assertThat(rollouts).extracting(Rollout::prompt).containsExactly(PROMPT, PROMPT);
    assertThat(rollouts.get(1).origin().logProbs()).containsExactly(-1.5);
    assertThat(source.score(rollouts)).containsExactly(0.5, 1.5);
  }

  @Test
  void anotherTokenizationOfThePromptIsRefused() {
    assertRefused(Reason.INCOMPATIBLE, "another tokenizer", written(new int[] {1, 3}, -0.5));
  }

  @Test
  void whatIsMissingIsRefused() {
    assertRefused(Reason.INVALID_ARGUMENT, "asked for 1 completions and got 0");
    assertRefused(
        Reason.INVALID_ARGUMENT,
        "has 1 tokens and 0 log-probabilities",
        new Written(new int[] {1, 2}, new int[] {7}, new double[0], "x", true, 1));
  }

  private static void assertRefused(Reason reason, String words, Written... written) {
    assertThatThrownBy(() -> answering(written).write(List.of(PROMPT), 1, "rollouts", 0))
        .isInstanceOfSatisfying(
            EngineException.class, e -> assertThat(e.reason()).isEqualTo(reason))
        .hasMessageContaining(words);
  }

  private static Written written(int[] prompt, double logProb) {
    return new Written(prompt, new int[] {7}, new double[] {logProb}, "x", true, -logProb);
  }

  private static ExchangedRollouts answering(Written... written) {
    return new ExchangedRollouts(
        (iteration, prompts, each, policy) -> List.of(written), folder -> {});
  }
}
