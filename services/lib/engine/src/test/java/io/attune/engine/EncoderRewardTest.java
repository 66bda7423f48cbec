package io.attune.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attune.engine.RewardModel.Answer;
import io.attune.engine.data.Content;
import io.attune.engine.data.Row;
import io.attune.engine.online.OnlineSettings;
import io.attune.engine.online.Prompt;
import io.attune.engine.online.Rewards;
import io.attune.engine.online.Rollout;
import io.attune.engine.token.ChatMessage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Encoders as reward models of a policy: which texts they read. */
class EncoderRewardTest {
  private static final Path POLICY = Golden.path("models/llama");
  private static final String TEXT = "A film that";
  private static final String COMPLETION = " nobody should miss.";

  @TempDir Path folder;

  /** What rewards say of one completion. */
  private static double score(Path reward, Rollout rollout) {
    try (LanguageModel policy = LanguageModel.load(POLICY, LoadOptions.defaults())) {
      var sources = new OnlineSettings.Sources(List.of(reward), List.of(), List.of(), List.of());
      try (Rewards rewards = new RewardSources(policy, "", true, 64, 2).open(sources)) {
        return rewards.total(List.of(rollout, rollout))[1];
      }
    }
  }

  private static Rollout rollout(Content prompt) {
    Row.Prompt row = new Row.Prompt(prompt, Map.of());
    return new Rollout(new Prompt(row, TEXT, new int[] {5}), new int[] {6}, COMPLETION, true);
  }

  private static double alone(Path reward, Answer answer) {
    try (RewardModel model = RewardModel.load(reward, LoadOptions.defaults())) {
      return model.scoreAnswers(List.of(answer))[0];
    }
  }

  /** A folder that says of itself what it learnt from. */
  private Path scorer(String name, String reward) throws IOException {
    Path copy = Files.createDirectory(folder.resolve(name));
    for (String file : List.of("config.json", "model.safetensors", "tokenizer.json")) {
      Files.copy(Golden.path("models/bert-regression").resolve(file), copy.resolve(file));
    }
    Files.writeString(copy.resolve("attune.json"), "{\"reward\": " + reward + "}");
    return copy;
  }

  @Test
  void oneThatLearntFromTextsReadsPromptAndCompletionAsOne() throws IOException {
    Path reward = scorer("texts", "{\"mean\": 0, \"std\": 1, \"reads\": \"text\"}");
    double whole = alone(reward, Answer.of(TEXT + COMPLETION));
    double answer = alone(reward, Answer.of(COMPLETION));
    assertThat(score(reward, rollout(new Content.Text(TEXT)))).isCloseTo(whole, within(1e-6));
    Content turns = new Content.Messages(List.of(new ChatMessage("user", TEXT)));
    assertThat(score(reward, rollout(turns)))
        .isCloseTo(answer, within(1e-6))
        .isNotCloseTo(whole, within(1e-4));
  }

  @Test
  void anotherReadsThemAsTwo() throws IOException {
    Path reward = scorer("pairs", "{\"mean\": 0, \"std\": 1}");
    Path other = scorer("whole", "{\"mean\": 0, \"std\": 1, \"reads\": \"text\"}");
    Answer pair = new Answer(new Content.Text(TEXT), new Content.Text(COMPLETION));
    assertThat(score(reward, rollout(new Content.Text(TEXT))))
        .isCloseTo(alone(reward, pair), within(1e-6))
        .isNotCloseTo(alone(other, Answer.of(TEXT + COMPLETION)), within(1e-4));
  }

  /** From texts to a reward model, whole or an adapter, to a policy that learns from it. */
  @Test
  void trainingSaysWhatItReadAndARunLearnsFromIt() throws IOException {
    Path rows = folder.resolve("rows.jsonl");
    Files.writeString(
        rows,
        """
        {"text": "A film that everybody likes.", "score": 0.9}
        {"text": "A film to forget.", "score": 0.1}
        """);
    Path prompts = Files.writeString(folder.resolve("prompts.jsonl"), "{\"prompt\": \"A film\"}\n");
    for (String method : List.of("full", "lora")) {
      TrainingSpec reward =
          new TrainingSpec(
              Golden.path("models/bert-model"),
              rows,
              folder.resolve(method),
              "reward",
              method,
              null,
              null,
              null,
              Map.of("max_steps", "2"));
      TrainingRun.run(reward, ProgressListener.NONE, CancelSignal.NEVER);
      assertThat(Golden.json(reward.out().resolve("attune.json")).at("/reward/reads").asText())
          .isEqualTo("text");
      TrainingSpec policy =
          new TrainingSpec(
              POLICY,
              prompts,
              folder.resolve(method + "-policy"),
              "grpo",
              "lora",
              null,
              null,
              null,
              Map.of(
                  "reward_model", reward.out().toString(),
                  "num_generations", "4",
                  "per_device_train_batch_size", "4",
                  "max_completion_length", "4",
                  "max_steps", "1"));
      TrainingRun.run(policy, ProgressListener.NONE, CancelSignal.NEVER);
      JsonNode metrics =
          new ObjectMapper().readTree(Files.readString(policy.out().resolve("metrics.jsonl")));
      assertThat(metrics.get("rewards/" + method + "/mean").asDouble())
          .isEqualTo(metrics.get("reward").asDouble())
          .isNotZero();
    }
  }
}
