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
        "gpt2-scaled"
      })
  void agreesWithTransformers(String name) throws IOException {
    check(Golden.path("models/" + name));
  }

  /** Of other widths and depths. */
  @ParameterizedTest
  @ValueSource(strings = {"gemma2", "gpt2", "qwen3"})
  void agreesWithTransformersForAnotherSeed(String name) throws IOException {
    check(Golden.path("seed2/models/" + name));
  }

  private static void check(Path folder) throws IOException {
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
      assertThat(write(model, Arrays.copyOf(greedy, prompt), greedy.length - prompt))
          .isEqualTo(untilEnd(Arrays.copyOfRange(greedy, prompt, greedy.length), model));
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

  private static List<Integer> write(LanguageModel model, int[] prompt, int tokens) {
    List<Integer> ids = new ArrayList<>();
    var done = new CompletableFuture<List<Integer>>();
    try (TextGenerator generator = new TextGenerator(model, new GeneratorOptions(2, 64))) {
      generator.submit(
          new GenerationRequest(prompt, null, SamplingParameters.greedy(tokens)),
          new GenerationListener() {
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
          });
      return done.join();
    }
  }
}
