package io.attune.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.checkpoint.AdapterFiles;
import io.attune.engine.checkpoint.JsonFiles;
import io.attune.engine.data.Content;
import io.attune.engine.data.Row;
import io.attune.engine.data.SftExample;
import io.attune.engine.objective.Reading;
import io.attune.engine.objective.Sft;
import io.attune.engine.online.Prompt;
import io.attune.engine.online.Rollout;
import io.attune.engine.rollout.Experience;
import io.attune.engine.rollout.ValueRegression;
import io.attune.engine.train.Learner;
import io.attune.engine.train.Method;
import io.attune.engine.train.Parameters;
import io.attune.engine.train.Policy;
import io.attune.engine.train.TaskType;
import io.attune.engine.train.TrainingSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Policy, reference, value and reward model on one set of base weights. */
class OnlineRolesTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Path MODEL = Golden.path("models/llama");
  private static final int[] IDS = {9, 30, 40, 50, 60, 70};

  @TempDir Path folder;

  private static TrainingSettings settings() {
    Map<String, String> parameters = Map.of("r", "4", "learning_rate", "1e-2");
    return TrainingSettings.parse(
        new Parameters(parameters),
        "ppo",
        Method.LORA,
        TaskType.CAUSAL_LM,
        List.of(),
        MODEL.toString());
  }

  @Test
  void learningLeavesTheReferenceAndTheOtherRolesAsTheyAre() {
    TrainingSettings settings = settings();
    SftExample text = SftExample.completion(IDS, 2);
    try (LanguageModel model = LanguageModel.load(MODEL, LoadOptions.defaults());
        var adapter = model.createAdapter(settings.adapter(), 1);
        Policy policy = Policy.ofAdapter(model.architecture(), model.weights(), adapter, null);
        ValueModel value = ValueModel.onBase(model, model.weights(), settings);
        Learner<SftExample> actor = new Learner<>(settings.arguments(), policy, new Sft());
        Learner<Experience> critic = critic(settings, value)) {
      Reading base = model.read(List.of(text), null).get(0);
      double[] reference = actor.read(List.of(text), true).get(0).values();
      assertThat(reference).isEqualTo(base.values());
      assertThat(actor.read(List.of(text), false).get(0).values()).isEqualTo(reference);

      List<Experience> experiences = List.of(experience(1));
      assertThat(critic.read(experiences, false).get(0).values()).containsOnly(0).hasSize(4);

      for (int step = 0; step < 3; step++) {
        learn(actor, text, step);
        learn(critic, experiences.get(0), step);
      }
      assertThat(actor.read(List.of(text), true).get(0).values()).isEqualTo(reference);
      assertThat(actor.read(List.of(text), false).get(0).values()).isNotEqualTo(reference);
      assertThat(model.read(List.of(text), null).get(0).values()).isEqualTo(base.values());
      double[] values = critic.read(experiences, false).get(0).values();
      assertThat(java.util.Arrays.stream(values).min().orElseThrow()).isGreaterThan(0.01);
      // A value is read before its token: what comes after changes nothing.
      double[] other = critic.read(List.of(experience(99)), false).get(0).values();
      assertThat(other).containsExactly(values);
    }
  }

  private static Learner<Experience> critic(TrainingSettings settings, ValueModel value) {
    return new Learner<>(
        settings.arguments(), value.policy(), new ValueRegression(ValueRegression.Config.DEFAULT));
  }

  /** Of four tokens, whose returns are 1. */
  private static Experience experience(int last) {
    double[] ones = {1, 1, 1, 1};
    double[] zeros = new double[4];
    int[] completion = {40, 50, 60, last};
    return new Experience(new int[] {9, 30}, completion, zeros, zeros, null, ones, zeros, null);
  }

  private static <E> void learn(Learner<E> learner, E example, int step) {
    List<Learner.MicroBatch<E>> batch = List.of(new Learner.MicroBatch<>(List.of(example), null));
    learner.update(step, 10, learner.gradients(batch, learner.weight(batch)), true);
  }

  @Test
  void aRewardModelScoresAlikeOnThePolicysBaseAndOnItsOwn() throws IOException {
    Path trained = reward("reward", MODEL);
    List<Rollout> rollouts = rollouts();
    try (LanguageModel policy = LanguageModel.load(MODEL, LoadOptions.defaults());
        RewardModel alone = RewardModel.load(policy, trained);
        ModelReward shared = ModelReward.open(trained, policy, digest(trained), true, 128, 2);
        ModelReward own = ModelReward.open(trained, policy, digest(trained), false, 128, 2);
        ModelReward byPath = ModelReward.open(withoutDigest(trained), policy, "", true, 128, 2)) {
      assertThat(shared.sharesBase()).isTrue();
      assertThat(own.sharesBase()).isFalse();
      assertThat(byPath.sharesBase()).isTrue();
      double[] scores = shared.score(rollouts);
      assertThat(own.score(rollouts)).isEqualTo(scores);
      assertThat(byPath.score(rollouts)).isEqualTo(scores);
      assertThat(scores).doesNotHaveDuplicates();
      for (int i = 0; i < scores.length; i++) {
        int[] ids = join(rollouts.get(i).prompt().ids(), rollouts.get(i).completionIds());
        // Some processors round differently when they read several texts at once.
        assertThat(scores[i]).isCloseTo((double) alone.score(List.of(ids))[0], within(1e-6));
      }
    }
  }

  @Test
  void anotherTokenizerIsGivenTheText() throws IOException {
    // The same weights with another template: ids would be the same, but that is not known.
    Path other = folder.resolve("other");
    Files.createDirectories(other);
    try (var files = Files.list(MODEL)) {
      for (Path file : files.toList()) {
        Files.copy(file, other.resolve(file.getFileName()));
      }
    }
    Files.writeString(other.resolve("chat_template.jinja"), "{{ messages[0].content }}");
    Path trained = reward("foreign", other);
    List<Rollout> rollouts = rollouts();
    try (LanguageModel policy = LanguageModel.load(MODEL, LoadOptions.defaults());
        LanguageModel base = LanguageModel.load(other, LoadOptions.defaults());
        RewardModel alone = RewardModel.load(base, trained);
        ModelReward reward = ModelReward.open(trained, policy, "x", true, 128, 2)) {
      assertThat(reward.sharesBase()).isFalse();
      for (Rollout rollout : rollouts) {
        var pair =
            base.examples(128)
                .pair(
                    new Content.Text(rollout.prompt().text()),
                    new Content.Text(rollout.completion()));
        assertThat((float) reward.score(List.of(rollout))[0])
            .isEqualTo(alone.score(List.of(join(pair.prompt(), pair.completion())))[0]);
      }
    }
  }

  @Test
  void ppoLearnsFromARewardModelOnTheSharedBase() throws IOException {
    Path trained = reward("reward", MODEL);
    Map<String, String> parameters = new HashMap<>();
    parameters.put("per_device_train_batch_size", "4");
    parameters.put("max_completion_length", "5");
    parameters.put("max_steps", "4");
    parameters.put("reward_model", trained.toString());
    parameters.put("value_model", MODEL.toString());
    TrainingSpec spec =
        new TrainingSpec(
            MODEL, prompts(), folder.resolve("out"), "ppo", "lora", null, null, null, parameters);
    TrainingRun.run(spec, ProgressListener.NONE, CancelSignal.NEVER);
    JsonNode first = JSON.readTree(Files.readAllLines(spec.out().resolve("metrics.jsonl")).get(0));
    assertThat(first.get("rewards/reward/mean").asDouble())
        .isEqualTo(first.get("reward").asDouble())
        .isNotZero();
    // The reward model is part of what the run is.
    ObjectNode config = AdapterFiles.open(trained).config();
    Path other = reward("other-reward", MODEL);
    Files.copy(
        other.resolve(AdapterFiles.WEIGHTS),
        trained.resolve(AdapterFiles.WEIGHTS),
        java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    assertThat(config.path("peft_type").asText()).isEqualTo("LORA");
    assertThatThrownBy(() -> TrainingRun.run(spec, ProgressListener.NONE, CancelSignal.NEVER))
        .hasMessageContaining("belongs to a run with other settings or data");
  }

  private List<Rollout> rollouts() {
    List<Rollout> rollouts = new ArrayList<>();
    try (LanguageModel model = LanguageModel.load(MODEL, LoadOptions.defaults())) {
      for (String completion : List.of("I am sorry.", "No.", "Read the manual")) {
        String text = "My parcel is late.\n";
        Prompt prompt =
            new Prompt(
                new Row.Prompt(new Content.Text(text), Map.of()),
                text,
                model.tokenizer().encode(text, true));
        rollouts.add(
            new Rollout(prompt, model.tokenizer().encode(completion, false), completion, false));
      }
    }
    return rollouts;
  }

  private Path prompts() throws IOException {
    Path file = folder.resolve("prompts.jsonl");
    return Files.writeString(
        file, "{\"prompt\": \"My parcel is late.\\n\"}\n{\"prompt\": \"My order was lost.\\n\"}\n");
  }

  /** A reward model, trained for a few steps. */
  private Path reward(String name, Path model) throws IOException {
    Path rows = folder.resolve(name + ".jsonl");
    Files.writeString(
        rows,
        """
        {"prompt": "My parcel is late.\\n", "completion": "I am sorry.", "score": 0.9}
        {"prompt": "My order was lost.\\n", "completion": "No.", "score": 0.1}
        """);
    Map<String, String> parameters =
        Map.of("max_steps", name.startsWith("other") ? "4" : "3", "learning_rate", "1e-2");
    TrainingSpec spec =
        new TrainingSpec(
            model, rows, folder.resolve(name), "reward", "lora", null, null, null, parameters);
    return TrainingRun.run(spec, ProgressListener.NONE, CancelSignal.NEVER).folder();
  }

  private static String digest(Path reward) {
    return AdapterFiles.open(reward).attune().orElseThrow().get("base_model_sha256").asText();
  }

  /** A copy as another platform would have written it. */
  private Path withoutDigest(Path reward) throws IOException {
    Path copy = Files.createDirectories(folder.resolve("plain"));
    for (String name : List.of(AdapterFiles.CONFIG, AdapterFiles.WEIGHTS)) {
      Files.copy(reward.resolve(name), copy.resolve(name));
    }
    ObjectNode config = AdapterFiles.open(reward).config();
    config.put("base_model_name_or_path", MODEL.toString());
    Files.write(copy.resolve(AdapterFiles.CONFIG), JsonFiles.pretty(config));
    return copy;
  }

  private static int[] join(int[] a, int[] b) {
    int[] both = java.util.Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, both, a.length, b.length);
    return both;
  }
}
