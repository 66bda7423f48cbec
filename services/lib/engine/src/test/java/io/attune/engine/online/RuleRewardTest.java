package io.attune.engine.online;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attune.engine.EngineException;
import io.attune.engine.data.Content;
import io.attune.engine.data.Row;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RuleRewardTest {
  private static final Prompt PROMPT =
      new Prompt(
          new Row.Prompt(
              new Content.Text("What is 2 + 2? "),
              Map.of("prompt", "of the row", "answer", "4", "level", 3)),
          "What is 2 + 2? ",
          new int[] {5, 6, 7});

  private static final List<Rollout> ROLLOUTS =
      List.of(
          new Rollout(PROMPT, new int[] {8, 9, 2}, "It is 4.", true),
          new Rollout(PROMPT, new int[] {8, 9, 10, 11}, "five or so", false));

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "answer in completion; 1; 0",
        "1 if completion.endswith('.') else -1; 1; -1",
        "completion | length; 8; 10",
        "completion_tokens / prompt_tokens; 1; 1.3333333333333333",
        "ended; 1; 0",
        "row.level * 2 - level; 3; 3",
        "prompt.count('2') + (row.prompt == 'of the row') | int; 3; 3",
        "1 - 0.5 * (completion_tokens - 3); 1; 0.5"
      })
  void anExpressionIsComputedForEachCompletion(String rule, double first, double second) {
    assertThat(new RuleReward("rule", rule).score(ROLLOUTS)).containsExactly(first, second);
  }

  @ParameterizedTest
  @ValueSource(strings = {"completion |", "(1", "completion | nothing", "1 2", "{{ 1 }}"})
  void whatIsMalformedIsRefusedAtOnce(String rule) {
    assertThatThrownBy(() -> new RuleReward("rule", rule))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("'reward_rule' " + rule);
  }

  @ParameterizedTest
  @ValueSource(strings = {"completion", "unknown", "unknown.length", "[1]", "1 / 0"})
  void whatGivesNoNumberIsRefusedByName(String rule) {
    RuleReward reward = new RuleReward("rule", rule);
    assertThatThrownBy(() -> reward.score(ROLLOUTS))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("'reward_rule' " + rule);
  }

  @Test
  void severalRewardsAreSummedByWeight() {
    Rewards rewards =
        new Rewards(
            List.of(new RuleReward("a", "completion_tokens"), new RuleReward("b", "ended")),
            List.of(0.5, -2.0));
    Rewards.Scores scores = rewards.score(ROLLOUTS);
    assertThat(scores.total()).containsExactly(-0.5, 2);
    assertThat(scores.metrics().means())
        .containsEntry("rewards/a/mean", 3.5)
        .containsEntry("rewards/b/mean", 0.5)
        .containsEntry("reward", 0.75)
        .containsEntry("reward_std", Math.sqrt(2 * 1.25 * 1.25));
    assertThatThrownBy(() -> new Rewards(List.of(new RuleReward("a", "1")), List.of(1.0, 2.0)))
        .hasMessageContaining("'reward_weights' has 2 numbers for 1 rewards");
    assertThatThrownBy(() -> new Rewards(List.of(), List.of()))
        .hasMessageContaining("'reward_model', 'reward_function' or 'reward_rule'");
  }
}
