package io.attune.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.checkpoint.TensorType;
import io.attune.engine.model.Decoder;
import io.attune.engine.model.KvCache;
import io.attune.engine.tensor.Torch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Models that compute in bfloat16. The reference is what transformers 5.18.0 with torch 2.15.0
 * gives in bfloat16 on the same inputs: how far its logits are from those in float32, at most and
 * on average. Two ways to round in other places differ as much as each differs from float32.
 */
class Bfloat16Test {
  private static final LoadOptions NARROW = LoadOptions.defaults().withDtype("bfloat16");

  @ParameterizedTest
  @CsvSource({
    "llama, 0.0192, 0.00347",
    "qwen2, 0.0129, 0.00260",
    "gemma2, 0.0235, 0.00368",
    "gpt2, 0.0204, 0.00273",
  })
  void isAsCloseToFloat32AsTransformers(String name, double most, double mean) throws IOException {
    Path folder = Golden.path("models/" + name);
    JsonNode expected = Golden.json(folder.resolve("expected.json"));
    List<int[]> sequences = Golden.sequences(expected);
    float[] exact = Golden.tensor(folder.resolve("expected.safetensors"), "logits");
    int width = expected.get("input_ids").get(0).size();
    try (LanguageModel model = LanguageModel.load(folder, NARROW)) {
      int v = model.config().vocabSize();
      List<float[]> logits = model.logits(sequences, null, false);
      Distance whole = new Distance();
      Distance cached = new Distance();
      for (int row = 0; row < sequences.size(); row++) {
        int from = row * width * v;
        whole.add(logits.get(row), Arrays.copyOfRange(exact, from, from + logits.get(row).length));
        int end = from + (sequences.get(row).length - 1) * v;
        cached.add(last(model, sequences.get(row)), Arrays.copyOfRange(exact, end, end + v));
      }
      assertThat(whole.most).isBetween(most / 20, most * 2);
      assertThat(whole.mean()).isLessThan(mean * 1.5);
      assertThat(cached.most).isBetween(most / 20, most * 2);
      assertThat(cached.mean()).isLessThan(mean * 1.5);
    }
  }

  /** Logits after the last token: all tokens but two at once, then one at a time. */
  private static float[] last(LanguageModel model, int[] ids) {
    Decoder decoder = model.decoder();
    try (KvCache cache = decoder.newCache(2, ids.length);
        NDManager scope = Torch.scope("test")) {
      int[] slot = {1};
      int first = ids.length - 2;
      decoder.step(scope, cache, slot, new int[][] {Arrays.copyOf(ids, first)}, new int[] {0});
      decoder.step(scope, cache, slot, new int[][] {{ids[first]}}, new int[] {first});
      NDArray logits =
          decoder.step(scope, cache, slot, new int[][] {{ids[first + 1]}}, new int[] {first + 1});
      return logits.toFloatArray();
    }
  }

  @Test
  void adaptersRunBesideNarrowWeights() throws IOException {
    Path folder = Golden.path("models/llama");
    Path lora = Golden.path("adapters/lora");
    List<int[]> sequences = Golden.sequences(Golden.json(lora.resolve("expected.json")));
    try (LanguageModel wide = LanguageModel.load(folder, LoadOptions.defaults());
        LanguageModel narrow = LanguageModel.load(folder, NARROW);
        LoadedAdapter wideAdapter = wide.loadAdapter(lora);
        LoadedAdapter narrowAdapter = narrow.loadAdapter(lora)) {
      List<float[]> exact = wide.logits(sequences, wideAdapter, false);
      List<float[]> logits = narrow.logits(sequences, narrowAdapter, false);
      Distance distance = new Distance();
      for (int row = 0; row < exact.size(); row++) {
        distance.add(logits.get(row), exact.get(row));
      }
      assertThat(distance.mean()).isBetween(1e-4, 0.006);
      assertThatThrownBy(() -> narrow.logits(sequences, narrowAdapter, true))
          .isInstanceOf(EngineException.class)
          .hasMessageContaining("merged in float32");
    }
  }

  @Test
  void otherKindsOfModelAndTrainingAreRefused() {
    assertThatThrownBy(() -> PretrainedModel.load(Golden.path("models/bert-classifier"), NARROW))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("only decoder-only models compute in bfloat16");
    assertThatThrownBy(() -> new LoadOptions(0, true, TensorType.BF16))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("where they are not trained");
  }

  private static final class Distance {
    double most;
    private double sum;
    private long count;

    void add(float[] found, float[] exact) {
      assertThat(found).hasSameSizeAs(exact);
      for (int i = 0; i < exact.length; i++) {
        double difference = Math.abs(found[i] - exact[i]);
        most = Math.max(most, difference);
        sum += difference;
        count++;
      }
    }

    double mean() {
      return sum / count;
    }
  }
}
