package io.attune.engine.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.Golden;
import io.attune.engine.adapter.Adapter;
import io.attune.engine.data.JudgedCompletion;
import io.attune.engine.data.KtoExample;
import io.attune.engine.data.PreferencePair;
import io.attune.engine.model.DecoderModel;
import io.attune.engine.model.Weights;
import io.attune.engine.objective.Dpo;
import io.attune.engine.objective.Kto;
import io.attune.engine.objective.Objective;
import io.attune.engine.objective.Orpo;
import io.attune.engine.objective.SimPo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Every objective that learns preferences beside trl, step by step: loss, norm, rate, metrics, and
 * the weights at the end. All runs start from the adapter {@code dpo-sigmoid/init} and learn the
 * pairs of {@code dpo-sigmoid/tokens.json}; trl's ORPO and SimPO put a token that begins a text
 * before them. {@code golden/runs/make_preference_runs.py} made those in batches of four, which
 * have no weights.
 */
class PreferenceParityTest {
  private static final List<String> OF_PAIRS =
      List.of(
          "rewards/chosen",
          "rewards/rejected",
          "rewards/margins",
          "rewards/accuracies",
          "logps/chosen",
          "logps/rejected");
  private static final List<String> OF_JUDGED =
      List.of(
          "kl",
          "rewards/chosen",
          "rewards/rejected",
          "rewards/margins",
          "logps/chosen",
          "logps/rejected");

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    "sigmoid, 0",
    "hinge, 0",
    "ipo, 0",
    "robust, 0.1",
    "exo_pair, 0.1",
    "nca_pair, 0",
    "sppo_hard, 0",
    "apo_zero, 0",
    "apo_down, 0",
    "aot, 0",
    "discopop, 0",
    "bco_pair, 0",
    "sigmoid_norm, 0"
  })
  void directPreferenceOptimisation(String loss, String smoothing) throws IOException {
    Map<String, String> settings = Map.of("loss_type", loss, "label_smoothing", smoothing);
    Dpo objective = new Dpo(parse("dpo", settings).dpo());
    List<StepMetrics> steps = follow("dpo-" + loss, objective, Runs.pairs("dpo-sigmoid"), OF_PAIRS);
    JsonNode expected = Golden.json("runs/dpo-" + loss + "/run.json").get("steps");
    for (int i = 0; i < steps.size(); i++) {
      assertThat(steps.get(i).numTokens()).isEqualTo(expected.get(i).get("num_tokens").asLong());
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "dpo-aot-smoothed",
        "dpo-aot_unpaired",
        "dpo-mixed",
        "dpo-forward_kl",
        "dpo-js_divergence",
        "dpo-alpha_divergence"
      })
  void mixturesAndDivergences(String run) throws IOException {
    follow(run, new Dpo(parse("dpo", settings(run)).dpo()), Runs.pairs("dpo-sigmoid"), OF_PAIRS);
  }

  @Test
  void oddsRatios() throws IOException {
    List<String> metrics = new ArrayList<>(OF_PAIRS);
    metrics.addAll(List.of("nll_loss", "log_odds_ratio", "log_odds_chosen"));
    follow("orpo", new Orpo(Orpo.Config.DEFAULT), begun(), metrics);
  }

  @Test
  void simplePreferenceOptimisation() throws IOException {
    follow("simpo", new SimPo(SimPo.Config.DEFAULT), begun(), OF_PAIRS);
    List<String> metrics = new ArrayList<>(OF_PAIRS);
    metrics.add("nll_loss");
    follow("simpo-cpo", new SimPo(parse("simpo", settings("simpo-cpo")).simPo()), begun(), metrics);
  }

  @Test
  void kahnemanTversky() throws IOException {
    List<KtoExample> examples = KtoExample.mismatched(judged(), 2, 1024);
    JsonNode rows = Golden.json("runs/kto/tokens.json");
    for (int i = 0; i < rows.size(); i++) {
      assertThat(examples.get(i).mismatchedIds())
          .isEqualTo(Golden.ints(rows.get(i).get("KL_completion_ids")));
    }
    follow("kto", new Kto(Kto.Config.DEFAULT), examples, OF_JUDGED);
    follow(
        "kto-weighted",
        new Kto(parse("kto", settings("kto-weighted")).kto()),
        KtoExample.mismatched(judged(), 4, 1024),
        OF_JUDGED);
    follow(
        "kto-apo_zero_unpaired",
        new Kto(parse("kto", settings("kto-apo_zero_unpaired")).kto()),
        KtoExample.alone(judged()),
        OF_JUDGED);
  }

  /** Pairs as trl's experimental trainers read them. */
  private static List<PreferencePair> begun() throws IOException {
    List<PreferencePair> rows = new ArrayList<>();
    for (PreferencePair pair : Runs.pairs("dpo-sigmoid")) {
      int[] prompt = new int[pair.promptIds().length + 1];
      prompt[0] = 1;
      System.arraycopy(pair.promptIds(), 0, prompt, 1, pair.promptIds().length);
      rows.add(new PreferencePair(prompt, pair.chosenIds(), pair.rejectedIds()));
    }
    return rows;
  }

  private static List<JudgedCompletion> judged() throws IOException {
    List<JudgedCompletion> rows = new ArrayList<>();
    for (JsonNode row : Golden.json("runs/kto/tokens.json")) {
      rows.add(
          new JudgedCompletion(
              Golden.ints(row.get("prompt_ids")),
              Golden.ints(row.get("completion_ids")),
              row.get("label").booleanValue()));
    }
    return rows;
  }

  /** A run's settings, by trl's names, as a command line has them. */
  private static Map<String, String> settings(String run) throws IOException {
    Map<String, String> settings = new HashMap<>();
    for (Map.Entry<String, JsonNode> entry :
        Golden.json("runs/" + run + "/run.json").get("settings").properties()) {
      String value =
          entry.getValue().isTextual() ? entry.getValue().textValue() : entry.getValue().toString();
      settings.put(entry.getKey(), value);
    }
    settings.remove("max_length"); // of the reference's batches
    if (run.startsWith("simpo")) {
      settings.remove("loss_type"); // one of several there, the objective here
    }
    return settings;
  }

  private static ObjectiveSettings parse(String objective, Map<String, String> settings) {
    Parameters parameters = new Parameters(settings);
    ObjectiveSettings parsed = ObjectiveSettings.parse(parameters, objective, 4);
    parameters.finish(objective);
    return parsed;
  }

  private <E> List<StepMetrics> follow(
      String run, Objective<E> objective, List<E> rows, List<String> metrics) throws IOException {
    DecoderModel architecture = Runs.architecture();
    try (Weights weights = Runs.weights(architecture, false);
        Adapter adapter = Runs.adapter(Runs.base(architecture, weights), "runs/dpo-sigmoid/init");
        Policy policy = Policy.ofAdapter(architecture, weights, adapter, null)) {
      List<StepMetrics> steps = Runs.follow(run, policy, objective, rows, folder.resolve(run));
      JsonNode expected = Golden.json("runs/" + run + "/run.json").get("steps");
      for (int i = 0; i < steps.size(); i++) {
        for (String name : metrics) {
          double reference = expected.get(i).get(name).doubleValue();
          assertThat(steps.get(i).metrics().get(name))
              .as("%s of step %d", name, i + 1)
              .isCloseTo(reference, within(1e-4 * Math.max(1, Math.abs(reference))));
        }
      }
      Path end = end(run);
      if (end != null) {
        Runs.assertWeights(adapter.parameters(), end, "base_model.model.");
      }
      return steps;
    }
  }

  private static @Nullable Path end(String run) {
    Path own = Golden.path("runs/" + run);
    return Stream.of("final.safetensors", "final/adapter_model.safetensors")
        .map(own::resolve)
        .filter(Files::exists)
        .findFirst()
        .orElse(null);
  }
}
