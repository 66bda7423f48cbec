package io.attune.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.attune.engine.PolicyEvaluation.Written;
import io.attune.engine.data.Content;
import io.attune.engine.data.Row;
import io.attune.engine.online.Divergence;
import io.attune.engine.online.OnlineSettings;
import io.attune.engine.online.Prompt;
import io.attune.engine.online.Rollout;
import io.attune.engine.train.Policy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What policies write, judged by rewards and by their distance from the base model. */
class PolicyEvaluationTest {
  private static final Path MODEL = Golden.path("models/llama");
  private static final Path LORA = Golden.path("adapters/lora");

  @TempDir Path folder;
  private Path prompts;

  @BeforeEach
  void writePrompts() throws IOException {
    prompts =
        Files.writeString(
            folder.resolve("prompts.jsonl"),
            """
            {"prompt": "My parcel is late."}
            {"prompt": "Where is the account page?"}
            {"prompt": "Thanks."}
            """);
  }

  private static PolicyEvaluation.Settings settings(long seed, int maxLength, String... rules) {
    return new PolicyEvaluation.Settings(
        new OnlineSettings.Sources(List.of(), List.of(), List.of(rules), List.of()),
        new OnlineSettings.Writing(0.7, 6, 4, 2),
        maxLength,
        seed);
  }

  private List<Written> written(Path adapter, PolicyEvaluation.Settings settings) {
    List<String> notices = new ArrayList<>();
    try (LanguageModel model = LanguageModel.load(MODEL, LoadOptions.defaults());
        PolicyEvaluation evaluation = PolicyEvaluation.open(model, adapter, settings)) {
      List<Written> written = evaluation.write(prompts, notices::add);
      assertThat(notices).hasSize(written.size() == 6 ? 0 : 1);
      return written;
    }
  }

  @Test
  void completionsOfAPromptAreSideBySideWithRewardsAndDivergences() {
    List<Written> ours = written(LORA, settings(1, 128, "completion_tokens", "ended"));
    assertThat(ours).hasSize(6);
    for (int i = 0; i < 6; i++) {
      Written each = ours.get(i);
      assertThat(each.prompt()).isEqualTo(ours.get(i / 2 * 2).prompt());
      assertThat(each.tokens()).isBetween(1, 6);
      assertThat(each.reward()).isEqualTo(each.tokens() + (each.ended() ? 1 : 0));
      assertThat(each.kl()).isNotZero();
    }
    assertThat(ours.get(0).completion()).isNotEqualTo(ours.get(1).completion());
    assertThat(written(LORA, settings(1, 128, "completion_tokens", "ended"))).isEqualTo(ours);
    assertThat(written(LORA, settings(2, 128, "completion_tokens", "ended"))).isNotEqualTo(ours);

    assertThat(written(null, settings(1, 128, "1"))).allMatch(each -> each.kl() == 0);
  }

  /** Against softmax of whole logits at the temperature of sampling. */
  @Test
  void divergenceIsTheSumOfLogRatios() {
    double temperature = 0.7;
    int[][] prompts = {{9, 30}, {4, 5, 6}, {7}};
    int[][] completions = {{40, 50, 60}, {70}, {11, 12, 13, 14}};
    try (LanguageModel model = LanguageModel.load(MODEL, LoadOptions.defaults());
        LoadedAdapter adapter = model.loadAdapter(LORA)) {
      List<Rollout> rollouts = new ArrayList<>();
      double[] expected = new double[3];
      for (int i = 0; i < 3; i++) {
        Row.Prompt row = new Row.Prompt(new Content.Text("x"), Map.of());
        rollouts.add(new Rollout(new Prompt(row, "x", prompts[i]), completions[i], "y", false));
        int[] ids = java.util.Arrays.copyOf(prompts[i], prompts[i].length + completions[i].length);
        System.arraycopy(completions[i], 0, ids, prompts[i].length, completions[i].length);
        expected[i] =
            logProb(
                    model.logits(List.of(ids), adapter, false).get(0),
                    ids,
                    prompts[i].length,
                    temperature)
                - logProb(
                    model.logits(List.of(ids), null, false).get(0),
                    ids,
                    prompts[i].length,
                    temperature);
      }
      Divergence divergence =
          new Divergence(
              Policy.frozen(adapter.network()), Policy.frozen(model.network()), temperature, 2);
      double[] found = divergence.of(rollouts);
      for (int i = 0; i < 3; i++) {
        assertThat(found[i]).isCloseTo(expected[i], within(1e-5));
        assertThat(Math.abs(expected[i])).isGreaterThan(1e-3);
      }
    }
  }

  private static double logProb(float[] logits, int[] ids, int from, double temperature) {
    int vocabulary = logits.length / ids.length;
    double sum = 0;
    for (int at = from; at < ids.length; at++) {
      double all = 0;
      for (int v = 0; v < vocabulary; v++) {
        all += Math.exp(logits[(at - 1) * vocabulary + v] / temperature);
      }
      sum += logits[(at - 1) * vocabulary + ids[at]] / temperature - Math.log(all);
    }
    return sum;
  }

  @Test
  void whatCannotBeJudgedIsRefused() {
    // Room for the two prompts of fewer tokens, then for none.
    int longest;
    try (LanguageModel model = LanguageModel.load(MODEL, LoadOptions.defaults())) {
      longest = model.tokenizer().encode("Where is the account page?", true).length;
    }
    assertThat(written(null, settings(1, longest + 5, "1"))).hasSize(4);
    assertThatThrownBy(() -> written(null, settings(1, 7, "1")))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("no prompt has at most 1 tokens");
    assertThatThrownBy(() -> written(null, settings(1, 128)))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("nothing says how good a completion is");
    assertThatThrownBy(() -> written(null, settings(1, 128, "1 +")))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("reward_rule");
  }
}
