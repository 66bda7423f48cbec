package io.attune.engine.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.Golden;
import io.attune.engine.LoadOptions;
import io.attune.engine.TextEncoder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * all-MiniLM-L6-v2, a real pretrained encoder, imported from its jar and run here, against
 * onnxruntime 1.32.0 running the graph in that jar: 20 sentences in English, German and Chinese,
 * mean over the tokens, length 1.
 */
class MiniLmTest {
  @TempDir Path folder;

  @Test
  void embedsAsOnnxRuntimeDoes() throws Exception {
    Path model = folder.resolve("minilm");
    OnnxImport.write(OnnxImportTest.miniLmJar(), model, null);
    JsonNode rows = Golden.json("onnx/minilm.json");
    float[] expected = Golden.tensor("onnx/minilm.safetensors", "embeddings");
    List<String> texts = new ArrayList<>();
    rows.forEach(row -> texts.add(row.get("text").asText()));

    try (TextEncoder encoder = TextEncoder.load(model, LoadOptions.defaults().withThreads(1))) {
      for (JsonNode row : rows) {
        assertThat(encoder.tokenizeForEmbedding(row.get("text").asText()).ids())
            .as(row.get("text").asText())
            .isEqualTo(Golden.ints(row.get("input_ids")));
      }
      List<float[]> embeddings = encoder.embed(texts);

      int size = encoder.embeddingSize();
      assertThat(texts).hasSize(20);
      assertThat(expected).hasSize(20 * size);
      for (int row = 0; row < texts.size(); row++) {
        for (int i = 0; i < size; i++) {
          assertThat(embeddings.get(row)[i])
              .as("%s, component %d", texts.get(row), i)
              .isCloseTo(expected[row * size + i], within(1e-4f));
        }
      }
    }
  }
}
