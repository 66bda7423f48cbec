package io.attune.launcher;

import static org.assertj.core.api.Assertions.assertThat;

import io.attune.launcher.hub.HubServer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code attune import}: each kind of source goes to what reads it. */
class ImportCommandTest {
  private static final Path GOLDEN = Path.of("../../services/lib/engine/src/test/resources/golden");

  @TempDir Path folder;
  @RegisterExtension final CapturedOutput captured = new CapturedOutput();
  private Path out;

  @BeforeEach
  void setUp() {
    out = folder.resolve("model");
  }

  private int run(String... args) {
    return Attune.execute(args);
  }

  private Path onnx() throws Exception {
    Files.copy(GOLDEN.resolve("onnx/tokenizer.json"), folder.resolve("tokenizer.json"));
    return Files.copy(GOLDEN.resolve("onnx/eager-opset20.onnx"), folder.resolve("model.onnx"));
  }

  @Test
  void importsOnnx() throws Exception {
    int code = run("import", onnx().toString(), "--pooling", "cls", "--out", out.toString());

    assertThat(captured.errors()).contains("BERT of 2 layers").contains("cls pooling");
    assertThat(code).isZero();
    assertThat(out.resolve("model.safetensors")).isRegularFile();
  }

  @Test
  void importsGguf() {
    String file = GOLDEN.resolve("gguf/llama.gguf").toString();

    int code = run("import", file, "--dtype", "bfloat16", "--out", out.toString());

    assertThat(captured.errors()).contains("wrote");
    assertThat(code).isZero();
    assertThat(out.resolve("model.safetensors")).isRegularFile();
  }

  @Test
  void downloadsFromTheHub() throws Exception {
    try (HubServer hub =
        new HubServer()
            .with("config.json", "{}")
            .with("model.safetensors", "weights")
            .with("pytorch_model.bin", "x")) {
      String endpoint = hub.endpoint().toString();

      int code = run("import", HubServer.MODEL, "--endpoint", endpoint, "--out", out.toString());

      assertThat(captured.errors()).contains("left out").contains("holds acme/lamp");
      assertThat(code).isZero();
      assertThat(out.resolve("model.safetensors")).hasContent("weights");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "--dtype, float16",
    "--revision, main",
    "--endpoint, http://127.0.0.1:1",
  })
  void refusesOptionsOfAnotherKindOfSource(String option, String value) throws Exception {
    int code = run("import", onnx().toString(), option, value, "--out", out.toString());

    assertThat(captured.errors()).contains(option + " " + value + " does not apply");
    assertThat(code).isEqualTo(2);
    assertThat(out).doesNotExist();
  }

  @Test
  void refusesWhatIsNeitherFileNorModel() {
    assertThat(run("import", "nothing.onnx", "--out", out.toString())).isEqualTo(2);

    assertThat(captured.errors()).contains("neither a file nor a model's name");
  }
}
