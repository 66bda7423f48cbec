package io.attune.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attune.engine.EngineException.Reason;
import io.attune.engine.generate.SamplingParameters;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

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
