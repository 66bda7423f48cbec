package io.attune.engine.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attune.engine.Golden;
import io.attune.engine.LoadOptions;
import io.attune.engine.TextEncoder;
import io.attune.engine.checkpoint.SafeTensors;
import java.net.JarURLConnection;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * all-MiniLM-L6-v2, a real pretrained encoder, imported from its jar and run here, against
 * onnxruntime 1.32.0 running the graph in that jar: 20 sentences in English, German and Chinese,
 * mean over the tokens, length 1.
 */
class MiniLmTest {
  @TempDir static Path folder;
  private static Path model;
  private static OnnxImport.Summary summary;

  @BeforeAll
  static void importModel() throws Exception {
    URL graph = MiniLmTest.class.getResource("/all-minilm-l6-v2.onnx");
    Path jar = Path.of(((JarURLConnection) graph.openConnection()).getJarFileURL().toURI());
    model = folder.resolve("minilm");
    summary = OnnxImport.write(jar, model, null);
  }

  @Test
  void readsTheSettingsFromTheGraph() throws Exception {
    assertThat(summary).isEqualTo(new OnnxImport.Summary(6, 384, 12, Pooling.MEAN, true));
    JsonNode config = new ObjectMapper().readTree(model.resolve("config.json").toFile());
    assertThat(config.get("vocab_size").asInt()).isEqualTo(30522);
    assertThat(config.get("intermediate_size").asInt()).isEqualTo(1536);
    assertThat(config.get("max_position_embeddings").asInt()).isEqualTo(512);
    assertThat(config.get("layer_norm_eps").asDouble()).isEqualTo(1e-12);
    assertThat(config.get("hidden_act").asText()).isEqualTo("gelu");
    try (SafeTensors weights = SafeTensors.open(model.resolve("model.safetensors"))) {
      assertThat(weights.names()).hasSize(5 + 6 * 16);
    }
  }

  @Test
  void leavesNothingUnpacked() throws Exception {
    try (Stream<Path> left = Files.list(folder)) {
      assertThat(left).containsExactly(model);
    }
  }

  @Test
  void embedsAsOnnxRuntimeDoes() throws Exception {
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
