package io.attune.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.generate.SamplingParameters;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Every decoder-only family and every scaling of rotary positions against transformers: logits and
 * loss of padded rows, and greedy text from the cache, far past windows and turning points.
 */
@Timeout(120)
class FamilyParityTest {

  @ParameterizedTest
  @ValueSource(
      strings = {
        "llama",
        "llama-rope3",
        "mistral",
        "qwen2",
        "qwen3",
        "gemma2",
        "gpt2",
        "phi3",
        "phi3-longrope",
        "llama-linear",
        "llama-dynamic",
        "llama-yarn",
        "llama-biases",
        "qwen2-windows",
        "qwen3-bias",
        "gpt2-scaled",
        "seed2/llama",
        "seed2/llama-rope3",
        "seed2/mistral",
        "seed2/qwen2",
        "seed2/qwen3",
        "seed2/gemma2",
        "seed2/gpt2"
      })
  void agreesWithTransformers(String name) throws IOException {
    Path folder = Golden.path(Golden.folder("models", name));
    JsonNode expected = Golden.json(folder.resolve("expected.json"));
    Path tensors = folder.resolve("expected.safetensors");
    List<int[]> sequences = Golden.sequences(expected);
    try (LanguageModel model = LanguageModel.load(folder, LoadOptions.defaults())) {
      int vocabulary = model.config().vocabSize();
      List<float[]> logits = model.logits(sequences, null, false);
      Golden.assertLogits(logits, sequences, Golden.tensor(tensors, "logits"), vocabulary);
      assertThat(Golden.loss(logits, sequences, vocabulary))
          .isCloseTo(expected.get("loss").doubleValue(), within(1e-5));
      if (expected.has("long_input_ids")) {
        List<int[]> longer = List.of(Golden.ints(expected.get("long_input_ids").get(0)));
        Golden.assertLogits(
            model.logits(longer, null, false),
            longer,
            Golden.tensor(tensors, "long_logits"),
            vocabulary);
      }
      int[] greedy = Golden.ints(expected.get("greedy"));
      int prompt = sequences.get(0).length;
      int[] other = sequences.get(1);
      List<List<Integer>> together =
          write(model, greedy.length - prompt, Arrays.copyOf(greedy, prompt), other);
      assertThat(together.get(0))
          .isEqualTo(untilEnd(Arrays.copyOfRange(greedy, prompt, greedy.length), model));
      assertThat(together.get(1)).isEqualTo(write(model, greedy.length - prompt, other).get(0));
    }
  }

  /** The reference went on after an end token. */
  private static List<Integer> untilEnd(int[] ids, LanguageModel model) {
    List<Integer> result = new ArrayList<>();
    for (int id : ids) {
      result.add(id);
      if (model.eosTokenIds().contains(id)) {
        break;
      }
    }
    return result;
  }

  /** Greedy continuations, written at the same time. */
  private static List<List<Integer>> write(LanguageModel model, int tokens, int[]... prompts) {
    List<CompletableFuture<List<Integer>>> texts = new ArrayList<>();
    try (TextGenerator generator = new TextGenerator(model, new GeneratorOptions(2, 64))) {
      for (int[] prompt : prompts) {
        var text = new Text();
        texts.add(text.done);
        generator.submit(
            new GenerationRequest(prompt, null, SamplingParameters.greedy(tokens)), text);
      }
      return texts.stream().map(CompletableFuture::join).toList();
    }
  }

  private static final class Text implements GenerationListener {
    final CompletableFuture<List<Integer>> done = new CompletableFuture<>();
    private final List<Integer> ids = new ArrayList<>();

    @Override
    public void onToken(GeneratedToken token) {
      ids.add(token.id());
    }

    @Override
    public void onComplete(CompletedGeneration generation) {
      done.complete(ids);
    }

    @Override
    public void onFailure(EngineException failure) {
      done.completeExceptionally(failure);
    }
  }
}
