package io.attune.engine.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Weights in other formats under the name of a safetensors file, as their own tools begin them. */
class ForeignFormatTest {
  @TempDir Path folder;

  private void assertRefused(String start, String... messages) throws IOException {
    Path path = folder.resolve("model.safetensors");
    Files.write(path, HexFormat.of().parseHex(start));
    for (String message : messages) {
      assertThatThrownBy(() -> SafeTensors.open(path))
          .isInstanceOfSatisfying(
              EngineException.class,
              e -> assertThat(e.reason()).as("%s", e).isEqualTo(Reason.UNSUPPORTED))
          .hasMessageContaining("model.safetensors is ")
          .hasMessageContaining("convert it to safetensors")
          .hasMessageContaining(message);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "504b030400000000000000000000, a zip archive", // torch.save of PyTorch 1.6 and later
    "80028a0a6cfc9c46f9206aa85019, a pickle", // its magic number, before
    "80037d7100285804000000, a pickle",
    "80049515000000000000007d, a pickle",
    "80059515000000000000007d, a pickle",
    "286470300a, a pickle of an old protocol", // pickle.dumps({}, 0)
    "286c70300a, a pickle of an old protocol", // pickle.dumps([], 0)
    "7d71002e, a pickle of an old protocol", // pickle.dumps({}, 1)
    "5d71002e, a pickle of an old protocol", // pickle.dumps([], 1)
    "636f730a73797374656d0a2853, a pickle of an old protocol", // os.system
    "63706f7369780a73797374656d, a pickle of an old protocol", // posix.system
    "635f5f6275696c74696e5f5f0a6576616c, a pickle of an old protocol", // eval
    "1f8b0800000000000003, a gzip archive",
    "934e554d5059010076007b27, a NumPy array",
  })
  void refusesWhatCanCarryCode(String start, String kind) throws Exception {
    assertRefused(start, kind, "can carry code", "where you trust it");
  }

  @ParameterizedTest
  @CsvSource({
    "894844460d0a1a0a0000000000080800, an HDF5 file",
    "4747554603000000000000000000, a GGUF file",
    "0808120770797463686f7263, an ONNX model",
  })
  void refusesOtherFormats(String start, String kind) throws Exception {
    assertRefused(start, kind, "not a safetensors file");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "pytorch_model.bin",
        "model.pt",
        "model.pth",
        "last.ckpt",
        "weights.pkl",
        "weights.pickle",
        "weights.npz",
      })
  void saysThatAFolderHasItsWeightsAsAPickle(String name) throws Exception {
    Files.writeString(folder.resolve("config.json"), "{}");
    Files.write(folder.resolve(name), new byte[] {(byte) 0x80, 2});

    assertThatThrownBy(() -> HubLayout.of(folder).openWeights())
        .isInstanceOfSatisfying(
            EngineException.class, e -> assertThat(e.reason()).isEqualTo(Reason.UNSUPPORTED))
        .hasMessageContaining("as a pickle (" + name + "), which can carry code");
  }

  @Test
  void saysThatAnAdapterHasItsWeightsAsAPickle() throws Exception {
    Files.writeString(folder.resolve(AdapterFiles.CONFIG), "{}");
    Files.write(folder.resolve("adapter_model.bin"), new byte[] {(byte) 0x80, 2});

    assertThatThrownBy(() -> AdapterFiles.open(folder))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("as a pickle (adapter_model.bin)");
  }
}
