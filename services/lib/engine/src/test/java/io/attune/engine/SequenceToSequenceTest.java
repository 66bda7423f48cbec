package io.attune.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.model.KvCache;
import io.attune.engine.model.MemoryCache;
import io.attune.engine.model.MemoryDecoder;
import io.attune.engine.tensor.Torch;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Logits, loss and cached decoding of every golden encoder-decoder, padded rows included. */
class SequenceToSequenceTest {

  @ParameterizedTest
  @ValueSource(
      strings = {"t5", "bart", "t5-relu", "t5-untied", "bart-scaled", "seed2/t5", "seed2/bart"})
  void logitsAndLossAgreeWithTransformers(String name) throws IOException {
    String folder = Golden.folder("models", name);
    JsonNode expected = Golden.json(folder + "/expected.json");
    List<int[]> sources = Golden.sequences(expected);
    List<int[]> labels = new ArrayList<>();
    expected.get("labels").forEach(row -> labels.add(Golden.ints(row)));
    try (SequenceToSequence model =
        SequenceToSequence.load(Golden.path(folder), LoadOptions.defaults())) {
      List<int[]> targets = labels.stream().map(model::decoderInputs).toList();
      List<float[]> logits = model.logits(sources, targets, null, false);
      float[] reference = Golden.tensor(folder + "/expected.safetensors", "logits");
      assertThat(logits.get(0).length * logits.size()).isEqualTo(reference.length);
      for (int row = 0; row < logits.size(); row++) {
        int width = logits.get(row).length;
        assertThat(logits.get(row))
            .containsExactly(
                Arrays.copyOfRange(reference, row * width, (row + 1) * width), within(1e-4f));
      }
      assertThat(loss(logits, labels, model.config().vocabSize()))
          .isCloseTo(expected.get("loss").doubleValue(), within(1e-5));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"t5", "bart", "t5-relu", "t5-untied", "bart-scaled"})
  void everyWayThroughTheCachesGivesTheLogitsOfAWholePass(String name) throws IOException {
    int[] a = {220, 168, 188, 111, 72, 51};
    int[] b = {337, 255, 192};
    int[] x = {2, 17, 99, 5};
    int[] y = {2, 300, 41, 12};
    int threads = Torch.threads();
    // Several threads sum in another order for each number of rows, which alone makes 1e-5.
    try (SequenceToSequence model =
            SequenceToSequence.load(
                Golden.path("models/" + name), LoadOptions.defaults().withThreads(1));
        MemoryCache memory = model.decoder().newMemory(3, 8);
        KvCache cache = model.decoder().newCache(4, 8)) {
      MemoryDecoder decoder = model.decoder();
      List<float[]> whole = model.logits(List.of(a, b, a), List.of(x, y, y), null, false);
      int v = model.config().vocabSize();
      float[] ax = Arrays.copyOfRange(whole.get(0), 3 * v, 4 * v);
      float[] by = Arrays.copyOfRange(whole.get(1), 3 * v, 4 * v);
      float[] ay = Arrays.copyOfRange(whole.get(2), 3 * v, 4 * v);
      decoder.read(memory, 2, a);
      decoder.read(memory, 0, b);

      // Slots that are no neighbours, in parts, of texts of different lengths.
      int[] slots = {3, 1};
      int[] texts = {2, 0};
      step(decoder, cache, slots, memory, texts, new int[][] {{2, 17}, {2, 300}}, 0, 0);
      float[][] apart =
          step(decoder, cache, slots, memory, texts, new int[][] {{99, 5}, {41, 12}}, 2, 2);
      assertThat(apart[0]).containsExactly(ax, within(1e-5f));
      assertThat(apart[1]).containsExactly(by, within(1e-5f));

      // Neighbours that look at one text; then each goes on from the other's tokens.
      slots = new int[] {0, 1};
      texts = new int[] {2};
      step(decoder, cache, slots, memory, texts, new int[][] {{2, 300, 41}, {2, 17, 99}}, 0, 0);
      cache.reorder(new int[] {1, 0}, 3);
      float[][] together =
          step(decoder, cache, slots, memory, texts, new int[][] {{5}, {12}}, 3, 3);
      assertThat(together[0]).containsExactly(ax, within(1e-5f));
      assertThat(together[1]).containsExactly(ay, within(1e-5f));
    } finally {
      Torch.threads(threads);
    }
  }

  private static float[][] step(
      MemoryDecoder decoder,
      KvCache cache,
      int[] slots,
      MemoryCache memory,
      int[] texts,
      int[][] tokens,
      int... positions) {
    try (NDManager scope = Torch.scope("test")) {
      float[] flat =
          decoder.step(scope, cache, slots, memory, texts, tokens, positions).toFloatArray();
      int width = flat.length / slots.length;
      float[][] rows = new float[slots.length][];
      for (int i = 0; i < rows.length; i++) {
        rows[i] = Arrays.copyOfRange(flat, i * width, (i + 1) * width);
      }
      return rows;
    }
  }

  /** Mean negative log-likelihood of each label, in double precision. */
  private static double loss(List<float[]> logits, List<int[]> labels, int vocabulary) {
    double sum = 0;
    int count = 0;
    for (int row = 0; row < labels.size(); row++) {
      for (int t = 0; t < labels.get(row).length; t++) {
        if (labels.get(row)[t] == -100) {
          continue;
        }
        double total = 0;
        for (int v = 0; v < vocabulary; v++) {
          total += Math.exp(logits.get(row)[t * vocabulary + v]);
        }
        sum += Math.log(total) - logits.get(row)[t * vocabulary + labels.get(row)[t]];
        count++;
      }
    }
    return sum / count;
  }
}
