package io.attune.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attune.engine.data.Row;
import io.attune.engine.generate.SamplingParameters;
import io.attune.engine.online.RolloutExchange;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whole runs on the tiny model, whose completions another model with the policy writes. */
class OnlineExchangeTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path folder;
  private Path prompts;

  @BeforeEach
  void writePrompts() throws IOException {
    List<String> lines = new ArrayList<>();
    for (JsonNode row : Golden.json("preferences.json")) {
      lines.add(
          JSON.createObjectNode().put("prompt", row.get("prompt").asText() + "\n").toString());
    }
    prompts = Files.write(folder.resolve("prompts.jsonl"), lines);
  }

  @Test
  void thePolicyLearnsFromWhatOthersWriteAndScore() throws IOException {
    try (Writers writers = new Writers(folder.resolve("policies"), 0)) {
      TrainingSpec spec = spec("learnt", Map.of("max_steps", "25"));
      TrainingRun.run(spec, ProgressListener.NONE, CancelSignal.NEVER, writers);

      List<String> lines = Files.readAllLines(spec.out().resolve("metrics.jsonl"));
      assertThat(writers.answered).hasSize(25);
      assertThat(mean(lines.subList(20, 25))).isGreaterThan(mean(lines.subList(0, 5)) + 0.2);
      assertThat(JSON.readTree(lines.get(0)).get("val/ratio").asDouble())
          .isCloseTo(1, within(1e-9));
    }
  }

  @Test
  void completionsOfAnOlderPolicyAreLearntFromToo() throws IOException {
    try (Writers writers = new Writers(folder.resolve("policies"), 1)) {
      TrainingSpec spec = spec("behind", Map.of("max_steps", "25"));
      TrainingRun.run(spec, ProgressListener.NONE, CancelSignal.NEVER, writers);

      List<String> lines = Files.readAllLines(spec.out().resolve("metrics.jsonl"));
      assertThat(mean(lines.subList(20, 25))).isGreaterThan(mean(lines.subList(0, 5)) + 0.2);
    }
  }

  @Test
  void anInterruptedRunAsksAgainAndEndsWithTheSameBytes() {
    Path weights = Path.of("adapter_model.safetensors");
    TrainingSpec whole = spec("whole", Map.of("max_steps", "5"));
    TrainingSpec cut = spec("cut", Map.of("max_steps", "5"));
    try (Writers writers = new Writers(folder.resolve("policies"), 0)) {
      TrainingRun.run(whole, ProgressListener.NONE, CancelSignal.NEVER, writers);
      RolloutExchange lost =
          (iteration, rows, each, policy) -> {
            if (iteration == 3) {
              throw new IllegalStateException("power cut");
            }
            return writers.exchange(iteration, rows, each, policy);
          };
      assertThatThrownBy(
              () -> TrainingRun.run(cut, ProgressListener.NONE, CancelSignal.NEVER, lost))
          .hasMessage("power cut");
      TrainingRun.run(cut, ProgressListener.NONE, CancelSignal.NEVER, writers);
    }
    assertThat(cut.out().resolve(weights)).hasSameBinaryContentAs(whole.out().resolve(weights));
  }

  @Test
  void aRewardOfThisProcessIsRefusedBesideTheirs() {
    TrainingSpec spec = spec("both", Map.of("reward_rule", "1"));

    assertThatThrownBy(
            () ->
                TrainingRun.run(
                    spec,
                    ProgressListener.NONE,
                    CancelSignal.NEVER,
                    (iteration, rows, each, policy) -> List.of()))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("'reward_rule'");
  }

  private TrainingSpec spec(String out, Map<String, String> more) {
    Map<String, String> parameters = new HashMap<>();
    parameters.put("per_device_train_batch_size", "8");
    parameters.put("gradient_accumulation_steps", "2");
    parameters.put("max_completion_length", "6");
    parameters.put("learning_rate", "2e-2");
    parameters.put("lr_scheduler_type", "constant");
    parameters.put("r", "4");
    parameters.put("modules_to_save", "lm_head"); // its weights are too small to learn under
    parameters.put("save_steps", "1");
    parameters.put("num_generations", "4");
    parameters.put("beta", "0.001");
    parameters.putAll(more);
    return new TrainingSpec(
        Golden.path("models/llama"),
        prompts,
        folder.resolve(out),
        "rloo",
        "lora",
        null,
        null,
        null,
        parameters);
  }

  private static double mean(List<String> lines) throws IOException {
    double sum = 0;
    for (String line : lines) {
      sum += JSON.readTree(line).get("reward").asDouble();
    }
    return sum / lines.size();
  }

  /** Plays serving and reward: loads the policy, writes by it, likes the letter e. */
  private static final class Writers implements RolloutExchange, AutoCloseable {
    private final LanguageModel model =
        LanguageModel.load(Golden.path("models/llama"), LoadOptions.defaults().withThreads(1));
    private final TextGenerator generator = new TextGenerator(model, new GeneratorOptions(16, 64));
    private final Path policies;
    private final int behind;
    private final Map<Integer, List<Written>> answered = new HashMap<>();

    /**
     * @param behind how many iterations old the policy is that writes
     */
    Writers(Path policies, int behind) {
      this.policies = policies;
      this.behind = behind;
    }

    /** What was answered once is answered so again. */
    @Override
    public List<Written> exchange(
        int iteration, List<Row.Prompt> rows, int each, Consumer<Path> policy) {
      return answered.computeIfAbsent(iteration, i -> write(i, rows, each, policy));
    }

    private List<Written> write(
        int iteration, List<Row.Prompt> rows, int each, Consumer<Path> policy) {
      Path own = policies.resolve(Integer.toString(iteration));
      try {
        Files.createDirectories(own);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      policy.accept(own);
      Path older = policies.resolve(Integer.toString(Math.max(0, iteration - behind)));
      List<CompletableFuture<Written>> writing = new ArrayList<>();
      try (LoadedAdapter adapter = model.loadAdapter(older)) {
        for (int i = 0; i < rows.size() * each; i++) {
          int[] prompt = model.examples(64).prompt(rows.get(i / each).prompt());
          SamplingParameters sampling =
              SamplingParameters.builder()
                  .temperature(1)
                  .maxNewTokens(6)
                  .seed(iteration * 1_000L + i)
                  .build();
          Listener listener = new Listener(prompt);
          generator.submit(new GenerationRequest(prompt, adapter, sampling), listener);
          writing.add(listener.written);
        }
        return writing.stream().map(CompletableFuture::join).toList();
      }
    }

    @Override
    public void close() {
      generator.close();
      model.close();
    }
  }

  private static final class Listener implements GenerationListener {
    private final int[] prompt;
    private final List<GeneratedToken> tokens = new ArrayList<>();
    private final CompletableFuture<RolloutExchange.Written> written = new CompletableFuture<>();

    private Listener(int[] prompt) {
      this.prompt = prompt;
    }

    @Override
    public void onToken(GeneratedToken token) {
      tokens.add(token);
    }

    @Override
    public void onComplete(CompletedGeneration generation) {
      String text = generation.text();
      written.complete(
          new RolloutExchange.Written(
              prompt,
              tokens.stream().mapToInt(GeneratedToken::id).toArray(),
              tokens.stream().mapToDouble(GeneratedToken::logProbability).toArray(),
              text,
              generation.stopped(),
              (double) text.chars().filter(c -> c == 'e').count() / tokens.size()));
    }

    @Override
    public void onFailure(EngineException failure) {
      written.completeExceptionally(failure);
    }
  }
}
