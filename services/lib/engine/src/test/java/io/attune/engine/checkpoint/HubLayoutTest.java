package io.attune.engine.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attune.engine.EngineException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HubLayoutTest {
  @TempDir Path folder;

  private HubLayout layout() throws Exception {
    Files.writeString(folder.resolve("config.json"), "{\"model_type\":\"llama\"}");
    return HubLayout.of(folder);
  }

  @Test
  void joinsShards() throws Exception {
    HubLayout layout = layout();
    SafeTensorsWriter.write(
        folder.resolve("m-1.safetensors"),
        List.of(TensorData.of("a", new long[] {1}, new float[] {1})),
        SafeTensorsWriter.PYTORCH);
    SafeTensorsWriter.write(
        folder.resolve("m-2.safetensors"),
        List.of(TensorData.of("b", new long[] {1}, new float[] {2})),
        SafeTensorsWriter.PYTORCH);
    Files.writeString(
        folder.resolve("model.safetensors.index.json"),
        "{\"metadata\":{},\"weight_map\":{\"a\":\"m-1.safetensors\",\"b\":\"m-2.safetensors\"}}");

    try (TensorReader weights = layout.openWeights()) {
      assertThat(weights.names()).containsExactly("a", "b");
      assertThat(weights.data("b").getFloat(0)).isEqualTo(2);
      assertThatThrownBy(() -> weights.info("c")).hasMessageContaining("'c'");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"../x.safetensors", "/etc/passwd", "..", "sub/x.safetensors"})
  void refusesShardOutsideOfTheFolder(String shard) throws Exception {
    HubLayout layout = layout();
    Files.writeString(
        folder.resolve("model.safetensors.index.json"),
        "{\"weight_map\":{\"a\":\"" + shard + "\"}}");

    assertThatThrownBy(layout::openWeights)
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("beside the others");
  }

  @Test
  void refusesPickledWeightsAndForeignCode() throws Exception {
    HubLayout layout = layout();
    Files.write(folder.resolve("pytorch_model.bin"), new byte[] {(byte) 0x80, 2});
    assertThatThrownBy(layout::openWeights).hasMessageContaining("pickle");

    Files.writeString(folder.resolve("config.json"), "{\"auto_map\":{\"AutoModel\":\"x.py\"}}");
    assertThatThrownBy(layout::config).hasMessageContaining("auto_map");
  }

  @Test
  void findsTheTemplateWhereverItIs() throws Exception {
    HubLayout layout = layout();
    assertThat(layout.chatTemplate()).isEmpty();

    Files.writeString(
        folder.resolve("tokenizer_config.json"),
        "{\"chat_template\":[{\"name\":\"tools\",\"template\":\"t\"},{\"name\":\"default\",\"template\":\"d\"}]}");
    assertThat(layout.chatTemplate()).contains("d");

    Files.writeString(folder.resolve("chat_template.jinja"), "j");
    assertThat(layout.chatTemplate()).contains("j");
  }

  @Test
  void manifestNamesEveryFileAndNoticesEveryChange() throws Exception {
    Files.writeString(folder.resolve("b.txt"), "b");
    Files.writeString(folder.resolve("a.txt"), "");
    Manifest manifest = Manifest.write(folder);

    assertThat(Files.readString(folder.resolve(Manifest.FILE)))
        .isEqualTo(
            "{\"files\":{\"a.txt\":{\"sha256\":\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\",\"size_bytes\":0},"
                + "\"b.txt\":{\"sha256\":\"3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d\",\"size_bytes\":1}}}");
    assertThat(Manifest.read(folder)).isEqualTo(manifest);
    assertThat(manifest.sha256()).isEqualTo(Digests.sha256(folder.resolve(Manifest.FILE)));
    manifest.verify(folder);

    Files.writeString(folder.resolve("b.txt"), "c");
    assertThatThrownBy(() -> manifest.verify(folder)).hasMessageContaining("b.txt");
    Files.writeString(folder.resolve("b.txt"), "b");
    Files.writeString(folder.resolve("c.txt"), "");
    assertThatThrownBy(() -> manifest.verify(folder)).hasMessageContaining("c.txt");
  }

  @Test
  void adapterConfigKeepsUnknownKeys() throws Exception {
    Path lora = Path.of("src/test/resources/golden/adapters/lora");
    AdapterFiles original = AdapterFiles.open(lora);

    AdapterFiles.write(
        folder.resolve("copy"),
        original.config(),
        List.of(TensorData.of("a", new long[] {1}, new float[] {1})));

    var config = AdapterFiles.open(folder.resolve("copy")).config();
    assertThat(config.equals(original.config())).isTrue();
    assertThat(config.has("monteclora_config")).isTrue();
  }

  @Test
  void writesFolderWholeOrNotAtAll() throws Exception {
    Path target = folder.resolve("adapter");

    assertThatThrownBy(
            () ->
                AtomicFiles.writeFolder(
                    target,
                    f -> {
                      Files.writeString(f.resolve("half"), "x");
                      throw new java.io.IOException("disk full");
                    }))
        .hasMessageContaining("disk full");
    assertThat(folder).isEmptyDirectory();

    AtomicFiles.writeFolder(target, f -> Files.writeString(f.resolve("whole"), "x"));
    assertThat(target.resolve("whole")).hasContent("x");
    assertThatThrownBy(() -> AtomicFiles.writeFolder(target, f -> {}))
        .hasMessageContaining("exists already");
  }
}
