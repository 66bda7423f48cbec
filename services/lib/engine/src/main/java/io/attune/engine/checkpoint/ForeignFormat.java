package io.attune.engine.checkpoint;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Formats that weights also come in, recognised by how they begin, so that the error can say what
 * to do. None is ever opened: loading a pickle runs code.
 */
enum ForeignFormat {
  TORCH_ARCHIVE("a zip archive, as PyTorch, TorchScript and NumPy write it,", true, "504b0304"),
  // Protocols 2 to 5 begin with PROTO; PyTorch before 1.6 wrote protocol 2.
  PICKLE("a pickle, as PyTorch writes it,", true, "8002", "8003", "8004", "8005"),
  // Protocols 0 and 1 have no mark; objects of classes begin with these.
  OLD_PICKLE(
      "a pickle of an old protocol",
      true,
      "28647030",
      "286c7030",
      "636f735f7265",
      "7d71",
      "5d71",
      "636f73",
      "63706f736978",
      "635f5f6275696c74696e"),
  GZIP("a gzip archive", true, "1f8b08"),
  HDF5("an HDF5 file, as Keras writes it,", false, "894844460d0a1a0a"),
  NUMPY("a NumPy array", true, "934e554d5059"),
  GGUF("a GGUF file", false, "47475546"),
  ONNX("an ONNX model", false, "0803", "0804", "0805", "0806", "0807", "0808", "0809", "080a");

  private static final List<String> PICKLE_ENDINGS =
      List.of(".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".npz");

  private final String what;
  private final boolean carriesCode;
  private final List<byte[]> starts;

  ForeignFormat(String what, boolean carriesCode, String... starts) {
    this.what = what;
    this.carriesCode = carriesCode;
    this.starts = Stream.of(starts).map(HexFormat.of()::parseHex).toList();
  }

  /**
   * The format that a file which is no safetensors file begins like.
   *
   * @param start the first bytes, as many as there are
   */
  static Optional<ForeignFormat> of(byte[] start) {
    return Stream.of(values())
        .filter(format -> format.starts.stream().anyMatch(s -> startsWith(start, s)))
        .findFirst();
  }

  private static boolean startsWith(byte[] bytes, byte[] prefix) {
    return bytes.length >= prefix.length
        && Arrays.equals(bytes, 0, prefix.length, prefix, 0, prefix.length);
  }

  /** Says that a file has this format, and what to do. */
  EngineException refuse(String source) {
    return new EngineException(
        Reason.UNSUPPORTED,
        source
            + " is "
            + what
            + (carriesCode ? " which can carry code" : " not a safetensors file")
            + "; convert it to safetensors"
            + (carriesCode ? " where you trust it (save_pretrained of transformers does)" : ""));
  }

  /** For a folder without weights that can be read: says whether it has them as pickles. */
  static EngineException noWeights(Path folder, String wanted) {
    try (Stream<Path> files = Files.list(folder)) {
      Optional<String> pickle =
          files
              .map(file -> file.getFileName().toString())
              .filter(name -> PICKLE_ENDINGS.stream().anyMatch(name::endsWith))
              .sorted()
              .findFirst();
      return pickle.isPresent()
          ? new EngineException(
              Reason.UNSUPPORTED,
              folder
                  + " has its weights as a pickle ("
                  + pickle.get()
                  + "), which can carry code; save them as safetensors where you trust them"
                  + " (save_pretrained of transformers or peft does)")
          : new EngineException(Reason.IO, folder + " has no " + wanted);
    } catch (IOException e) {
      throw new EngineException(Reason.IO, "cannot list " + folder + ": " + e, e);
    }
  }
}
