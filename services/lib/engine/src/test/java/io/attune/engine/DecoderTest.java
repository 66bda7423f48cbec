package io.attune.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDManager;
import io.attune.engine.model.Decoder;
import io.attune.engine.model.KvCache;
import io.attune.engine.tensor.Torch;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DecoderTest {

  @ParameterizedTest
  @ValueSource(strings = {"llama", "llama-rope3", "mistral", "qwen2", "qwen3"})
  void greedyContinuationIsThatOfTransformers(String name) throws IOException {
    int[] expected = Golden.ints(Golden.json("models/" + name + "/expected.json").get("greedy"));
    try (LanguageModel model =
            LanguageModel.load(Golden.path("models/" + name), LoadOptions.defaults());
        KvCache cache = model.decoder().newCache(3, 32)) {
      int[] prompt = Arrays.copyOf(expected, 12);
      List<Integer> ids = new ArrayList<>();
      for (int id : prompt) {
        ids.add(id);
      }
      int next = argmax(step(model.decoder(), cache, new int[] {2}, new int[][] {prompt}, 0)[0]);
      while (ids.size() < expected.length) {
        ids.add(next);
        next =
            argmax(
                step(model.decoder(), cache, new int[] {2}, new int[][] {{next}}, ids.size() - 1)[
                    0]);
      }
      assertThat(ids).containsExactlyElementsOf(Arrays.stream(expected).boxed().toList());
    }
  }

  @Test
  void everyWayThroughTheCacheGivesTheLogitsOfAWholePass() {
    int[] a = {220, 168, 188, 111, 72, 51};
    int[] b = {337, 255, 192, 369};
    try (LanguageModel model =
            LanguageModel.load(Golden.path("models/llama"), LoadOptions.defaults());
        LoadedAdapter adapter = model.loadAdapter(Golden.path("adapters/lora"));
        KvCache cache = adapter.decoder().newCache(4, 16)) {
      Decoder decoder = adapter.decoder();
      List<float[]> whole = model.logits(List.of(a, b), adapter, false);
      int v = model.config().vocabSize();

      // A prompt in two parts, another in one; then both together, in slots that are not
      // neighbours.
      step(decoder, cache, new int[] {3}, new int[][] {{220, 168}}, 0);
      step(decoder, cache, new int[] {3}, new int[][] {{188, 111, 72}}, 2);
      step(decoder, cache, new int[] {1}, new int[][] {{337, 255, 192}}, 0);
      float[][] apart = step(decoder, cache, new int[] {3, 1}, new int[][] {{51}, {369}}, 5, 3);
      // The same in neighbouring slots.
      step(decoder, cache, new int[] {2}, new int[][] {{337, 255, 192}}, 0);
      float[][] together = step(decoder, cache, new int[] {2, 3}, new int[][] {{369}, {51}}, 3, 5);

      float[] lastOfA = Arrays.copyOfRange(whole.get(0), 5 * v, 6 * v);
      float[] lastOfB = Arrays.copyOfRange(whole.get(1), 3 * v, 4 * v);
      assertThat(apart[0]).containsExactly(lastOfA, within(1e-5f));
      assertThat(apart[1]).containsExactly(lastOfB, within(1e-5f));
      assertThat(together[0]).containsExactly(lastOfB, within(1e-5f));
      assertThat(together[1]).containsExactly(lastOfA, within(1e-5f));
    }
  }

  /** Prompts in parts, beyond the windows; then rows of unequal length together. */
  @ParameterizedTest
  @ValueSource(strings = {"mistral", "gemma2", "gpt2-scaled", "phi3", "qwen2-windows", "qwen3"})
  void partsAndUnequalRowsGiveTheLogitsOfAWholePass(String name) {
    int[] a = {220, 168, 188, 111, 72, 51, 337, 255, 192, 369, 14, 90, 301};
    int[] b = {337, 255, 192, 369, 45, 210, 8, 77, 160, 12};
    try (LanguageModel model =
            LanguageModel.load(Golden.path("models/" + name), LoadOptions.defaults());
        KvCache cache = model.decoder().newCache(4, 16)) {
      Decoder decoder = model.decoder();
      List<float[]> whole = model.logits(List.of(a, b), null, false);
      int v = model.config().vocabSize();

      int[] slots = {3, 1};
      step(decoder, cache, slots, new int[][] {Arrays.copyOf(a, 10), Arrays.copyOf(b, 4)}, 0, 0);
      int[][] rest = {{a[10], a[11]}, Arrays.copyOfRange(b, 4, 9)};
      step(decoder, cache, slots, rest, 10, 4);
      float[][] last = step(decoder, cache, slots, new int[][] {{a[12]}, {b[9]}}, 12, 9);

      assertThat(last[0])
          .containsExactly(Arrays.copyOfRange(whole.get(0), 12 * v, 13 * v), within(1e-5f));
      assertThat(last[1])
          .containsExactly(Arrays.copyOfRange(whole.get(1), 9 * v, 10 * v), within(1e-5f));
    }
  }

  /** Where angles depend on a text's length, that of the others must not matter. */
  @ParameterizedTest
  @ValueSource(strings = {"llama", "mistral", "llama-dynamic", "phi3-longrope"})
  void promptsReadTogetherAreEachWhatTheyAreAlone(String name) {
    int[] lengths = {24, 3, 17, 1};
    int[][] prompts = new int[lengths.length][];
    for (int i = 0; i < lengths.length; i++) {
      prompts[i] = IntStream.range(3 + i, 3 + i + lengths[i]).map(t -> t * 7 % 200).toArray();
    }
    try (LanguageModel model =
            LanguageModel.load(Golden.path("models/" + name), LoadOptions.defaults());
        KvCache cache = model.decoder().newCache(4, 32)) {
      float[][] together =
          step(model.decoder(), cache, new int[] {0, 1, 2, 3}, prompts, 0, 0, 0, 0);
      for (int i = 0; i < prompts.length; i++) {
        float[][] alone = step(model.decoder(), cache, new int[] {i}, new int[][] {prompts[i]}, 0);
        assertThat(together[i]).containsExactly(alone[0], within(1e-5f));
      }
    }
  }

  /** One row, few and many are products of different shapes, and so are whole and partial ones. */
  @ParameterizedTest
  @ValueSource(strings = {"llama", "gpt2", "gemma2"})
  void howManyRowsThereAreDoesNotChangeTheirLogits(String name) {
    int[] tokens = {220, 168, 188, 111, 72, 51, 337};
    try (LanguageModel model =
        LanguageModel.load(Golden.path("models/" + name), LoadOptions.defaults())) {
      List<int[]> texts = Arrays.stream(tokens).mapToObj(t -> new int[] {7, t}).toList();
      List<float[]> whole = model.logits(texts, null, false);
      int v = model.config().vocabSize();
      for (int count : new int[] {1, 2, 4, 5, 7}) {
        try (KvCache cache = model.decoder().newCache(count, 4)) {
          int[] slots = IntStream.range(0, count).toArray();
          int[][] firsts = new int[count][];
          int[][] seconds = new int[count][];
          for (int i = 0; i < count; i++) {
            firsts[i] = new int[] {7};
            seconds[i] = new int[] {tokens[i]};
          }
          step(model.decoder(), cache, slots, firsts, new int[count]);
          int[] ones = slots.clone();
          Arrays.fill(ones, 1);
          float[][] logits = step(model.decoder(), cache, slots, seconds, ones);
          for (int i = 0; i < count; i++) {
            assertThat(logits[i])
                .containsExactly(Arrays.copyOfRange(whole.get(i), v, 2 * v), within(1e-5f));
          }
        }
      }
    }
  }

  /** Layers that share an input, with biases and stored the other way round, and a capped head. */
  @ParameterizedTest
  @ValueSource(strings = {"llama", "llama-biases", "gpt2", "gemma2", "phi3", "qwen2", "qwen3"})
  void packedWeightsGiveTheSameLogits(String name) {
    int[][] prompts = {{220, 168, 188, 111}, {337, 255}, {7}, {12, 31, 8}, {90}, {14, 301}};
    try (LanguageModel model =
            LanguageModel.load(Golden.path("models/" + name), LoadOptions.defaults());
        Decoder packed = Decoder.packed(model.architecture(), model.weights()::get, copied -> {})) {
      for (int count : new int[] {1, 3, 6}) {
        int[] slots = IntStream.range(0, count).toArray();
        int[] positions = Arrays.stream(prompts).limit(count).mapToInt(p -> p.length).toArray();
        int[][] next =
            IntStream.range(0, count).mapToObj(i -> new int[] {40 + i}).toArray(int[][]::new);
        float[][][] logits = new float[2][][];
        Decoder[] decoders = {model.decoder(), packed};
        for (int i = 0; i < 2; i++) {
          try (KvCache cache = decoders[i].newCache(count, 8)) {
            step(decoders[i], cache, slots, Arrays.copyOf(prompts, count), new int[count]);
            logits[i] = step(decoders[i], cache, slots, next, positions);
          }
        }
        for (int row = 0; row < count; row++) {
          assertThat(logits[1][row]).containsExactly(logits[0][row], within(1e-5f));
        }
      }
    }
  }

  private static float[][] step(
      Decoder decoder, KvCache cache, int[] slots, int[][] tokens, int... positions) {
    try (NDManager scope = Torch.scope("test")) {
      float[] flat = decoder.step(scope, cache, slots, tokens, positions).toFloatArray();
      int width = flat.length / slots.length;
      float[][] rows = new float[slots.length][];
      for (int i = 0; i < rows.length; i++) {
        rows[i] = Arrays.copyOfRange(flat, i * width, (i + 1) * width);
      }
      return rows;
    }
  }

  private static int argmax(float[] values) {
    int best = 0;
    for (int i = 1; i < values.length; i++) {
      best = values[i] > values[best] ? i : best;
    }
    return best;
  }
}
