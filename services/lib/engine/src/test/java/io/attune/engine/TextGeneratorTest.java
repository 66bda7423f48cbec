package io.attune.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.attune.engine.EngineException.Reason;
import io.attune.engine.generate.SamplingParameters;
import io.attune.engine.generate.StopRule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class TextGeneratorTest {

  @Test
  void textsOfOneBatchAreEachWhatTheyAreAlone() throws IOException {
    int[] greedy = Golden.ints(Golden.json("models/llama/expected.json").get("greedy"));
    int[] prompt = Arrays.copyOf(greedy, 12);
    int[] other = {337, 255, 192};
    try (LanguageModel model = load();
        LoadedAdapter adapter = model.loadAdapter(Golden.path("adapters/lora"));
        TextGenerator generator = new TextGenerator(model, new GeneratorOptions(3, 64))) {
      List<Integer> aloneWithAdapter = write(generator, prompt, adapter, 12).join().ids;
      List<Integer> aloneOther = write(generator, other, null, 12).join().ids;

      // More than there are slots, of two versions, of two lengths.
      List<CompletableFuture<Heard>> base = new ArrayList<>();
      List<CompletableFuture<Heard>> adapted = new ArrayList<>();
      List<CompletableFuture<Heard>> others = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        base.add(write(generator, prompt, null, greedy.length - 12));
        adapted.add(write(generator, prompt, adapter, 12));
        others.add(write(generator, other, null, 12));
      }

      List<Integer> expected = Arrays.stream(greedy, 12, greedy.length).boxed().toList();
      base.forEach(text -> assertThat(text.join().ids).isEqualTo(expected));
      adapted.forEach(text -> assertThat(text.join().ids).isEqualTo(aloneWithAdapter));
      others.forEach(text -> assertThat(text.join().ids).isEqualTo(aloneOther));
      assertThat(aloneWithAdapter).isNotEqualTo(expected);
    }
  }

  /** Sixteen prompts of about 100 tokens: more than are read in one call. */
  @Test
  void promptsThatWaitTogetherAreEachReadAsAlone() {
    try (LanguageModel model = load();
        TextGenerator one = new TextGenerator(model, new GeneratorOptions(1, 120));
        TextGenerator many = new TextGenerator(model, new GeneratorOptions(16, 120))) {
      List<int[]> prompts = new ArrayList<>();
      for (int i = 0; i < 16; i++) {
        prompts.add(new Random(i).ints(95 + i, 3, 380).toArray());
      }
      List<CompletableFuture<Heard>> together =
          prompts.stream().map(prompt -> write(many, prompt, null, 4)).toList();
      for (int i = 0; i < 16; i++) {
        assertThat(together.get(i).join().ids)
            .isEqualTo(write(one, prompts.get(i), null, 4).join().ids);
      }
    }
  }

  @Test
  void piecesAreTheTextAndStopEndsIt() {
    try (LanguageModel model = load();
        TextGenerator generator = new TextGenerator(model, new GeneratorOptions(2, 64))) {
      int[] prompt = model.tokenizer().encode("hello", true);
      Heard whole = write(generator, prompt, null, 16).join();
      assertThat(String.join("", whole.pieces)).isEqualTo(whole.completed.text());
      assertThat(whole.completed.stopped()).isFalse();

      String text = whole.completed.text();
      String stop = text.substring(text.length() / 2, text.length() / 2 + 2);
      var sampling = SamplingParameters.greedy(16).toBuilder().stop(List.of(stop)).build();
      Heard cut = write(generator, new GenerationRequest(prompt, null, sampling)).join();

      assertThat(cut.completed.text()).isEqualTo(text.substring(0, text.indexOf(stop)));
      assertThat(String.join("", cut.pieces)).isEqualTo(cut.completed.text());
      assertThat(cut.completed.stopped()).isTrue();
    }
  }

  /** Every parameter at once, on prompts of 1 to 40 tokens. */
  @Test
  void sampledTextsOfOneBatchAreEachWhatTheyAreAlone() {
    try (LanguageModel model = load();
        TextGenerator generator = new TextGenerator(model, new GeneratorOptions(4, 96))) {
      List<GenerationRequest> requests = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        int[] prompt = new Random(i).ints(1 + 5 * i, 4, 300).toArray();
        var sampling =
            SamplingParameters.builder()
                .temperature(i == 3 ? 0 : 0.5 + i)
                .topK(i % 2 == 0 ? 0 : 90)
                .topP(i < 4 ? 1 : 0.95)
                .minP(i == 6 ? 0.01 : 0)
                .repetitionPenalty(1 + i / 10.0)
                .presencePenalty(i == 2 ? 1 : 0)
                .frequencyPenalty(i == 5 ? -0.5 : 0)
                .logitBias(i == 1 ? Map.of(17, 2.0) : Map.of())
                .topLogProbabilities(i)
                .maxNewTokens(20)
                .seed(i);
        requests.add(new GenerationRequest(prompt, null, sampling.build()));
      }
      List<Heard> alone = requests.stream().map(one -> write(generator, one).join()).toList();

      List<CompletableFuture<Heard>> together =
          requests.stream().map(one -> write(generator, one)).toList();

      for (int i = 0; i < requests.size(); i++) {
        Heard heard = together.get(i).join();
        assertThat(heard.ids).isEqualTo(alone.get(i).ids);
        assertThat(heard.completed).isEqualTo(alone.get(i).completed);
        for (int t = 0; t < heard.tokens.size(); t++) {
          GeneratedToken token = heard.tokens.get(t);
          assertThat(token.top()).hasSize(i);
          assertThat(token.logProbability())
              .isCloseTo(alone.get(i).tokens.get(t).logProbability(), within(1e-4f));
        }
      }
    }
  }

  @Test
  void logProbabilitiesAreTheModels() throws IOException {
    int[] greedy = Golden.ints(Golden.json("models/llama/expected.json").get("greedy"));
    try (LanguageModel model = load();
        TextGenerator generator = new TextGenerator(model, new GeneratorOptions(1, 64))) {
      // Bias and penalty change what is chosen, not what is told of it.
      var sampling =
          SamplingParameters.builder()
              .temperature(0)
              .logitBias(Map.of(greedy[12], -100.0))
              .repetitionPenalty(1.5)
              .topLogProbabilities(5)
              .maxNewTokens(6)
              .build();
      int[] prompt = Arrays.copyOf(greedy, 12);
      Heard heard = write(generator, new GenerationRequest(prompt, null, sampling)).join();

      assertThat(heard.ids).doesNotContain(greedy[12]);
      int[] whole = Arrays.copyOf(prompt, 12 + heard.ids.size());
      for (int i = 0; i < heard.ids.size(); i++) {
        whole[12 + i] = heard.ids.get(i);
      }
      float[] logits = model.logits(List.of(whole), null, false).get(0);
      int vocabulary = model.config().vocabSize();
      for (int i = 0; i < heard.ids.size(); i++) {
        float[] row = Arrays.copyOfRange(logits, (11 + i) * vocabulary, (12 + i) * vocabulary);
        double sum = 0;
        for (float logit : row) {
          sum += Math.exp(logit);
        }
        GeneratedToken token = heard.tokens.get(i);
        assertThat(token.logProbability())
            .isCloseTo((float) (row[token.id()] - Math.log(sum)), within(1e-4f));
        float[] sorted = row.clone();
        Arrays.sort(sorted);
        for (int k = 0; k < 5; k++) {
          assertThat(token.top().get(k).logProbability())
              .isCloseTo((float) (sorted[vocabulary - 1 - k] - Math.log(sum)), within(1e-4f));
        }
      }
      assertThat(heard.tokens.get(0).top().get(0).id()).isEqualTo(greedy[12]);
    }
  }

  @Test
  void anyOfSeveralEndTokensEndsAndIsNoText(@TempDir Path folder) throws IOException {
    copyModel(folder);
    int eos;
    int[] prompt = {5, 6, 7};
    try (LanguageModel model = load();
        TextGenerator generator = new TextGenerator(model, new GeneratorOptions(1, 64))) {
      eos = write(generator, prompt, null, 8).join().ids.get(4);
    }
    // As many models have it: what pads is also what ends.
    Files.writeString(
        folder.resolve("generation_config.json"),
        "{\"eos_token_id\":[2,%d],\"pad_token_id\":%d}".formatted(eos, eos));
    try (LanguageModel model = LanguageModel.load(folder, LoadOptions.defaults());
        TextGenerator generator = new TextGenerator(model, new GeneratorOptions(1, 64))) {
      Heard heard = write(generator, prompt, null, 8).join();
      assertThat(heard.ids).hasSizeLessThanOrEqualTo(5).endsWith(eos);
      assertThat(heard.completed.stopped()).isTrue();
      assertThat(String.join("", heard.pieces)).isEqualTo(heard.completed.text());
      assertThat(heard.completed.text())
          .isEqualTo(
              model
                  .tokenizer()
                  .decode(
                      heard.ids.subList(0, heard.ids.size() - 1).stream()
                          .mapToInt(id -> id)
                          .toArray(),
                      true));
      // The tokenizer's own end token ends as well.
      var ends = SamplingParameters.greedy(8).toBuilder().logitBias(Map.of(2, 100.0)).build();
      Heard at = write(generator, new GenerationRequest(prompt, null, ends)).join();
      assertThat(at.ids).containsExactly(2);
      assertThat(at.completed).isEqualTo(new CompletedGeneration("", true));
    }
  }

  /** A character of several tokens, and the text before it, in one stop text. */
  @Test
  void stopTextMayLieOverTokensAndInsideThem() {
    try (LanguageModel model = load();
        TextGenerator generator = new TextGenerator(model, new GeneratorOptions(1, 64))) {
      int[] wanted = model.tokenizer().encode("so 🙂 go", false);
      assertThat(wanted.length).isGreaterThan(4);
      for (String stop : List.of("🙂", " 🙂 g", "o 🙂")) {
        var rule = new StopRule(List.of(stop));
        var stream = model.tokenizer().stream();
        StringBuilder text = new StringBuilder();
        for (int id : wanted) {
          text.append(rule.push(stream.push(id)));
        }
        assertThat(rule.stopped()).isTrue();
        assertThat(text.toString()).isEqualTo("so 🙂 go".substring(0, "so 🙂 go".indexOf(stop)));
      }
    }
  }

  @Test
  void biasOfATokenThatIsNoneIsRefused() {
    try (LanguageModel model = load();
        TextGenerator generator = new TextGenerator(model, new GeneratorOptions(1, 64))) {
      var sampling =
          SamplingParameters.greedy(1).toBuilder().logitBias(Map.of(99_999, 1.0)).build();
      assertThatThrownBy(
              () -> write(generator, new GenerationRequest(new int[] {5}, null, sampling)))
          .isInstanceOf(EngineException.class)
          .hasMessageContaining("logit_bias names token 99999");
    }
  }

  @Test
  void seedRepeatsASampledText() {
    try (LanguageModel model = load();
        TextGenerator generator = new TextGenerator(model, new GeneratorOptions(2, 64))) {
      var sampling = SamplingParameters.builder().maxNewTokens(20).seed(3).build();
      var request = new GenerationRequest(new int[] {5, 6, 7}, null, sampling);

      assertThat(write(generator, request).join().ids)
          .isEqualTo(write(generator, request).join().ids);
    }
  }

  @Test
  void cancelEndsBeforeTheNextTokenAndFreesTheSlot() {
    try (LanguageModel model = load();
        TextGenerator generator = new TextGenerator(model, new GeneratorOptions(1, 128))) {
      var heard = new Heard();
      var handle = new CompletableFuture<GenerationHandle>();
      heard.afterToken = () -> handle.join().cancel();
      var request =
          new GenerationRequest(new int[] {5, 6, 7}, null, SamplingParameters.greedy(100));

      handle.complete(generator.submit(request, heard));

      assertThatThrownBy(heard.done::join)
          .hasCauseInstanceOf(EngineException.class)
          .hasMessageContaining("cancelled");
      assertThat(heard.ids).hasSize(1);
      assertThat(write(generator, new int[] {5}, null, 2).join().ids).hasSize(2);
    }
  }

  @Test
  void capacityIsALimitOfTokensAndOfPrompts() {
    try (LanguageModel model = load();
        TextGenerator generator = new TextGenerator(model, new GeneratorOptions(1, 10))) {
      Heard heard = write(generator, new int[] {5, 6, 7, 8}, null, 100).join();
      // Six fit beside the prompt; the one after them is written but never read.
      assertThat(heard.ids).hasSize(7);

      assertThatThrownBy(() -> write(generator, new int[10], null, 1))
          .isInstanceOfSatisfying(
              EngineException.class,
              refused -> assertThat(refused.reason()).isEqualTo(Reason.TOO_LONG));
    }
  }

  @Test
  void closingEndsWhatIsWritten() {
    try (LanguageModel model = load()) {
      var heard = new Heard();
      var generator = new TextGenerator(model, new GeneratorOptions(1, 128));
      heard.afterToken = () -> {};
      generator.submit(
          new GenerationRequest(new int[] {5}, null, SamplingParameters.greedy(100)), heard);
      var waits = write(generator, new int[] {6}, null, 100);

      generator.close();

      assertThat(heard.done.isDone()).isTrue();
      assertThat(waits.isCompletedExceptionally()).isTrue();
    }
  }

  private static void copyModel(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(Golden.path("models/llama"))) {
      for (Path file : files.toList()) {
        Files.copy(file, folder.resolve(file.getFileName()));
      }
    }
  }

  private static LanguageModel load() {
    return LanguageModel.load(Golden.path("models/llama"), LoadOptions.defaults());
  }

  private static CompletableFuture<Heard> write(
      TextGenerator generator, int[] prompt, LoadedAdapter adapter, int tokens) {
    return write(
        generator, new GenerationRequest(prompt, adapter, SamplingParameters.greedy(tokens)));
  }

  private static CompletableFuture<Heard> write(
      TextGenerator generator, GenerationRequest request) {
    var heard = new Heard();
    generator.submit(request, heard);
    return heard.done;
  }

  private static final class Heard implements GenerationListener {
    final List<GeneratedToken> tokens = new ArrayList<>();
    final List<Integer> ids = new ArrayList<>();
    final List<String> pieces = new ArrayList<>();
    final CompletableFuture<Heard> done = new CompletableFuture<>();
    CompletedGeneration completed;
    Runnable afterToken = () -> {};

    @Override
    public void onToken(GeneratedToken token) {
      tokens.add(token);
      ids.add(token.id());
      pieces.add(token.text());
      assertThat(token.logProbability()).isNotPositive();
      afterToken.run();
    }

    @Override
    public void onComplete(CompletedGeneration generation) {
      completed = generation;
      done.complete(this);
    }

    @Override
    public void onFailure(EngineException failure) {
      done.completeExceptionally(failure);
    }
  }
}
