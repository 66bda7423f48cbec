package io.attune.launcher.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attune.launcher.local.LauncherException;
import io.attune.launcher.local.Progress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** A server on this machine with a small model, and a folder to bring it to. */
abstract class DownloadFixture {
  static final String WEIGHTS = "model.safetensors";
  static final ModelId MODEL = new ModelId(HubServer.MODEL, ModelId.MAIN);

  @TempDir Path folder;
  final List<String> notes = new ArrayList<>();
  final byte[] weights = new byte[300_000];
  HubServer hub;
  Path out;

  @BeforeEach
  void setUp() throws IOException {
    new Random(1).nextBytes(weights);
    out = folder.resolve("lamp");
    hub =
        new HubServer()
            .with(".gitattributes", "x")
            .with("README.md", "A lamp.")
            .with("config.json", "{\"model_type\": \"llama\"}")
            .with("tokenizer.json", "{}")
            .with("chat_template.jinja", "{{ messages }}")
            .with("1_Pooling/config.json", "{}")
            .with(WEIGHTS, weights)
            .with("onnx/model.onnx", "x")
            .with("pytorch_model.bin", "x")
            .with("modeling_lamp.py", "x");
  }

  @AfterEach
  void tearDown() {
    hub.close();
  }

  void download() {
    download(MODEL, null, Duration.ofSeconds(60));
  }

  void download(ModelId model, String token, Duration timeout) {
    HubSettings settings = new HubSettings(hub.endpoint(), token, timeout, Duration.ofMillis(1));
    new ModelDownload(settings, new Notes()).run(model, out);
  }

  void assertRefused(String message) {
    assertThatThrownBy(this::download)
        .isInstanceOf(LauncherException.class)
        .hasMessageContaining(message);
    assertThat(out).doesNotExist();
  }

  /** All that is below {@link #folder}, without the folders. */
  List<String> left() throws IOException {
    try (Stream<Path> tree = Files.walk(folder)) {
      return tree.filter(Files::isRegularFile)
          .map(path -> folder.relativize(path).toString())
          .toList();
    }
  }

  void assertComplete() throws IOException {
    assertThat(left())
        .containsExactlyInAnyOrder(
            "lamp/config.json",
            "lamp/tokenizer.json",
            "lamp/chat_template.jinja",
            "lamp/1_Pooling/config.json",
            "lamp/" + WEIGHTS);
    assertThat(out.resolve(WEIGHTS)).hasBinaryContent(weights);
  }

  /** Notes what is said; called from one thread. */
  private final class Notes implements Progress {
    @Override
    public void stage(String name) {}

    @Override
    public void step(long done, long total, String detail) {
      assertThat(done).isBetween(0L, total);
    }

    @Override
    public void note(String message) {
      notes.add(message);
    }
  }
}
