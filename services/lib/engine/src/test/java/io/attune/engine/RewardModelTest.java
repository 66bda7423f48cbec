package io.attune.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attune.engine.RewardModel.Answer;
import io.attune.engine.data.Content;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Reward models on encoders are trained and score as transformers' do ({@code
 * golden/rewards/make_rewards.py} made the runs), and those of either kind are read again.
 */
class RewardModelTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path folder;

  private TrainingSpec spec(
      String model, Path rows, String method, String out, Map<String, String> parameters) {
    Map<String, String> all = new HashMap<>(Map.of("shuffle", "false", "save_steps", "0"));
    all.putAll(parameters);
    return new TrainingSpec(
        Golden.path("models/" + model),
        rows,
        folder.resolve(out),
        "reward",
        method,
        null,
        rows,
        null,
        all);
  }

  private TrainingSpec spec(String run, Map<String, String> more) throws IOException {
    JsonNode settings = Golden.json("rewards/" + run + "/run.json");
    Map<String, String> parameters = new HashMap<>();
    settings
        .get("args")
        .properties()
        .forEach(entry -> parameters.put(entry.getKey(), entry.getValue().asText()));
    parameters.putAll(more);
    Path rows = Golden.path("rewards/" + run + "/rows.jsonl");
    return spec(settings.get("model").asText(), rows, "full", run, parameters);
  }

  private static List<Answer> answers(JsonNode run) {
    List<Answer> answers = new ArrayList<>();
    for (JsonNode text : run.get("texts")) {
      String second = text.get(1).asText();
      answers.add(
          second.isEmpty()
              ? Answer.of(text.get(0).asText())
              : new Answer(new Content.Text(text.get(0).asText()), new Content.Text(second)));
    }
    return answers;
  }

  private static void assertScores(double[] scores, JsonNode expected) {
    assertThat(scores).hasSize(expected.size());
    for (int i = 0; i < scores.length; i++) {
      assertThat(scores[i]).as("answer %d", i).isCloseTo(expected.get(i).asDouble(), within(1e-4));
    }
  }

  @Test
  void anEncoderReadsAnAnswerToNothingAsATextAlone() {
    try (RewardModel model =
        RewardModel.load(Golden.path("models/bert-regression"), LoadOptions.defaults())) {
      Content text = new Content.Text("It left on Monday.");

      double[] scores =
          model.scoreAnswers(
              List.of(new Answer(null, text), new Answer(new Content.Text(""), text)));

      assertThat(scores[1]).isEqualTo(scores[0]);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"scores", "mean", "pairs", "levels"})
  void tenStepsAndTheScoresAfterThemAreThoseOfTheReference(String run) throws IOException {
    TrainingSpec spec = spec(run, Map.of());
    TrainingRun.run(spec, ProgressListener.NONE, CancelSignal.NEVER);

    JsonNode expected = Golden.json("rewards/" + run + "/run.json");
    List<String> lines = Files.readAllLines(spec.out().resolve("metrics.jsonl"));
    assertThat(lines).hasSameSizeAs(expected.get("losses"));
    for (int i = 0; i < lines.size(); i++) {
      assertThat(JSON.readTree(lines.get(i)).get("loss").asDouble())
          .as("step %d", i + 1)
          .isCloseTo(expected.get("losses").get(i).asDouble(), within(1e-4));
    }
    try (RewardModel model = RewardModel.load(spec.out(), LoadOptions.defaults())) {
      double[] scores = model.scoreAnswers(answers(expected));
      assertScores(scores, expected.get("after"));
      assertThat(expected.get("after").get(0).asDouble())
          .isNotCloseTo(expected.get("before").get(0).asDouble(), within(1e-3));
      double[] moments = moments(scores);
      assertThat(model.scale().mean()).isCloseTo(moments[0], within(1e-5));
      assertThat(model.scale().std()).isCloseTo(moments[1], within(1e-5));
      assertThat(model.scale().normalised(moments[0] + moments[1])).isCloseTo(1, within(1e-3));
    }
  }

  private static double[] moments(double[] values) {
    double mean = 0;
    double square = 0;
    for (double value : values) {
      mean += value / values.length;
      square += value * value / values.length;
    }
    return new double[] {mean, Math.sqrt(square - mean * mean)};
  }

  /** What an untrained head says, whoever reads it: first token and pair of texts. */
  @Test
  void scoresOfAFolderAgreeWithTransformers() throws IOException {
    JsonNode expected = Golden.json("rewards/scores/run.json");
    Path model = Golden.path("models/bert-regression");
    try (RewardModel reward = RewardModel.load(model, LoadOptions.defaults())) {
      assertScores(reward.scoreAnswers(answers(expected)), expected.get("before"));
      assertThat(reward.readsTokens()).isFalse();
      assertThatThrownBy(() -> reward.score(List.of(new int[] {1})))
          .hasMessageContaining("reads answers as text");
    }
  }

  /** A head that the folder lacks is drawn, trained, saved by either method and read again. */
  @ParameterizedTest
  @CsvSource({
    "bert-model, full, cls",
    "bert-model, lora, mean",
    "roberta-model, lora, mean",
    "distilbert-model, full, mean",
    "distilbert-model, ia3, cls"
  })
  void aModelIsReadAsItWasWritten(String base, String method, String pooling) throws IOException {
    Path rows = Golden.path("rewards/mean/rows.jsonl");
    TrainingSpec spec =
        spec(
            base,
            rows,
            method,
            "out",
            Map.of(
                "classifier_pooling",
                pooling,
                "max_steps",
                "60",
                "learning_rate",
                method.equals("full") ? "3e-3" : "3e-2"));
    TrainingResult result = TrainingRun.run(spec, ProgressListener.NONE, CancelSignal.NEVER);
    Map<String, Double> evaluation = result.evaluation().get("candidate");
    assertThat(evaluation.get("pearson")).isGreaterThan(0.4);

    boolean full = method.equals("full");
    Path described = spec.out().resolve(full ? "config.json" : "attune.json");
    assertThat(Golden.json(described).path("classifier_pooling").asText("cls")).isEqualTo(pooling);
    List<Answer> answers = answers(Golden.json("rewards/mean/run.json"));
    double[] given = new double[answers.size()];
    List<String> lines = Files.readAllLines(rows);
    for (int i = 0; i < given.length; i++) {
      given[i] = JSON.readTree(lines.get(i)).get("score").asDouble();
    }
    try (TextEncoder encoder =
            TextEncoder.load(full ? spec.out() : spec.model(), LoadOptions.defaults());
        RewardModel model = RewardModel.load(encoder, full ? null : spec.out())) {
      double[] scores = model.scoreAnswers(answers);
      double square = 0;
      for (int i = 0; i < given.length; i++) {
        square += (scores[i] - given[i]) * (scores[i] - given[i]) / given.length;
      }
      // What training measured of the same rows.
      assertThat(square).isCloseTo(evaluation.get("mse"), within(1e-5));
      assertThat(model.scoreAnswers(answers.subList(3, 4))[0]).isCloseTo(scores[3], within(1e-5));
    }
  }

  /** An ordinal scale on a decoder: the adapter's head has a logit between any two levels. */
  @Test
  void aDecoderLearnsLevels() throws IOException {
    Path rows = Golden.path("rewards/levels/rows.jsonl");
    TrainingSpec spec =
        spec(
            "llama",
            rows,
            "lora",
            "out",
            Map.of(
                "loss_type",
                "corn",
                "levels",
                "1,3,5",
                "max_steps",
                "60",
                "learning_rate",
                "1e-2"));
    Map<String, Double> evaluation =
        TrainingRun.run(spec, ProgressListener.NONE, CancelSignal.NEVER)
            .evaluation()
            .get("candidate");
    assertThat(evaluation.get("spearman")).isGreaterThan(0.7);
    assertThat(Golden.json(spec.out().resolve("attune.json")).at("/reward/levels").size())
        .isEqualTo(3);
    try (LanguageModel base = LanguageModel.load(spec.model(), LoadOptions.defaults());
        RewardModel model = RewardModel.load(base, spec.out())) {
      double[] scores = model.scoreAnswers(answers(Golden.json("rewards/levels/run.json")));
      for (double score : scores) {
        assertThat(score).isBetween(1.0, 5.0);
      }
      int[] ids = base.tokenizer().encode("Meh", true);
      assertThat((double) model.score(List.of(ids))[0]).isBetween(1.0, 5.0);
    }
  }

  /** Pairs have probabilities: their reliability is in eval.json. */
  @Test
  void pairsAreReportedBinByBin() throws IOException {
    TrainingSpec spec = spec("pairs", Map.of());
    TrainingResult result = TrainingRun.run(spec, ProgressListener.NONE, CancelSignal.NEVER);
    JsonNode candidate = Golden.json(spec.out().resolve("eval.json")).get("candidate");
    long pairs = 0;
    double error = 0;
    for (JsonNode bin : candidate.get("reliability")) {
      pairs += bin.get("pairs").asLong();
      double off = bin.get("accuracy").asDouble() - bin.get("confidence").asDouble();
      error += Math.abs(off) * bin.get("pairs").asLong() / 16;
    }
    assertThat(pairs).isEqualTo(16);
    assertThat(candidate.get("calibration_error").asDouble()).isCloseTo(error, within(1e-9));
    assertThat(result.evaluation().get("candidate")).containsKey("accuracy");
  }

  @Test
  void anEnsembleGivesMeanAndDisagreement() throws IOException {
    List<RewardModel> members = new ArrayList<>();
    for (String seed : List.of("1", "2", "3")) {
      TrainingSpec spec =
          spec(
              "bert-model",
              Golden.path("rewards/mean/rows.jsonl"),
              "full",
              "seed-" + seed,
              Map.of("seed", seed, "max_steps", "4", "learning_rate", "1e-3"));
      TrainingRun.run(spec, ProgressListener.NONE, CancelSignal.NEVER);
      members.add(RewardModel.load(spec.out(), LoadOptions.defaults()));
    }
    List<Answer> answers = List.of(Answer.of("It works."), Answer.of("No"));
    double[][] scores = members.stream().map(m -> m.scoreAnswers(answers)).toArray(double[][]::new);
    try (RewardEnsemble ensemble = new RewardEnsemble(members)) {
      for (boolean normalised : List.of(false, true)) {
        List<RewardEnsemble.Score> found = ensemble.score(answers, normalised);
        for (int i = 0; i < 2; i++) {
          double[] each = new double[3];
          for (int m = 0; m < 3; m++) {
            RewardScale scale = members.get(m).scale();
            each[m] = normalised ? (scores[m][i] - scale.mean()) / scale.std() : scores[m][i];
          }
          double[] moments = moments(each);
          assertThat(found.get(i).mean()).isCloseTo(moments[0], within(1e-9));
          assertThat(found.get(i).std()).isCloseTo(moments[1], within(1e-6)).isPositive();
        }
      }
    }
    assertThatThrownBy(() -> new RewardEnsemble(List.of())).isInstanceOf(EngineException.class);
  }

  /** What the file says of scores is checked before anything is scaled by it. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "[]                                       | not an object",
        "{}                                       | 'std' is",
        "{\"mean\": 0}                            | 'std' is",
        "{\"mean\": 0, \"std\": -1}               | below 0",
        "{\"mean\": 0, \"std\": \"1\"}            | not a finite number",
        "{\"mean\": 1e999, \"std\": 1}            | not a finite number",
        "{\"mean\": null, \"std\": 1}             | not a finite number",
        "{\"mean\": 0, \"std\": 1, \"levels\": []}         | 'levels'",
        "{\"mean\": 0, \"std\": 1, \"levels\": [1]}        | 'levels'",
        "{\"mean\": 0, \"std\": 1, \"levels\": [2, 1]}     | must rise",
        "{\"mean\": 0, \"std\": 1, \"levels\": [1, \"2\"]} | must rise",
        "{\"mean\": 0, \"std\": 1, \"levels\": 7}          | 'levels'",
        "{\"mean\": 0, \"std\": 1, \"levels\": [1, 2, 3]}  | its head gives 1 values"
      })
  void aHostileScaleIsRefused(String reward, String message) throws IOException {
    Path model = Files.createDirectory(folder.resolve("model"));
    for (String name : List.of("config.json", "model.safetensors", "tokenizer.json")) {
      Files.copy(Golden.path("models/bert-regression").resolve(name), model.resolve(name));
    }
    Files.writeString(model.resolve("attune.json"), "{\"reward\": " + reward + "}");
    assertThatThrownBy(() -> RewardModel.load(model, LoadOptions.defaults()))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining(message);
  }

  /** A constant score is at its own mean, whatever the deviation. */
  @Test
  void scoresThatNeverVariedAreNotDividedByZero() {
    assertThat(RewardScale.of(new double[] {2, 2, 2}, null, false).normalised(5)).isZero();
    assertThat(RewardScale.of(new double[] {1e9, 1e9 + 2}, null, false).std()).isEqualTo(1);
  }

  /** Each wrong combination says what there is instead. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "bert-classifier | full | {} | has a head for 3 labels; these rows need one for 1",
        "bert-tokens     | full | {} | has a head that labels tokens",
        "llama           | full | {} | trains no reward model on a decoder-only model",
        "llama           | lora | classifier_pooling=mean | is a setting of encoders",
        "bert-model      | full | classifier_pooling=max | implemented are cls, mean",
        "bert-model      | full | loss_type=huber | it is mse or corn",
        "bert-model      | full | levels=1,2 | set loss_type to corn",
        "t5-relu         | lora | {} | objective 'reward' is not implemented for an encoder-decoder"
      })
  void whatCannotBeIsRefused(String base, String method, String setting, String message) {
    Map<String, String> parameters = new HashMap<>();
    if (setting.contains("=")) {
      parameters.put(setting.split("=")[0], setting.split("=")[1]);
    }
    TrainingSpec spec =
        spec(base, Golden.path("rewards/mean/rows.jsonl"), method, "out", parameters);
    assertThatThrownBy(() -> TrainingRun.run(spec, ProgressListener.NONE, CancelSignal.NEVER))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining(message);
  }

  @ParameterizedTest
  @ValueSource(strings = {"bert-classifier", "bert-model", "bert-tokens", "llama"})
  void whatScoresNothingIsRefused(String base) {
    try (PretrainedModel model =
        PretrainedModel.load(Golden.path("models/" + base), LoadOptions.defaults())) {
      assertThatThrownBy(() -> RewardModel.load(model, null))
          .isInstanceOf(EngineException.class)
          .hasMessageContaining("is no reward model");
    }
  }
}
