package io.attune.engine.gguf;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.ProgressListener;
import io.attune.engine.checkpoint.AtomicFiles;
import io.attune.engine.checkpoint.JsonFiles;
import io.attune.engine.checkpoint.SafeTensorsWriter;
import io.attune.engine.checkpoint.TensorData;
import io.attune.engine.checkpoint.TensorType;
import java.io.BufferedOutputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * From a GGUF file to a model folder in Hugging Face's layout. Weights are dequantised one by one
 * and never held together.
 */
public final class GgufImport {
  private GgufImport() {}

  /**
   * @param folder appears whole or not at all; one that exists is refused
   * @param type of the weights: F32, which loses nothing, BF16 or F16
   * @param listener hears of each weight that was reached, as a step
   */
  public static void run(Path file, Path folder, TensorType type, ProgressListener listener) {
    if (type != TensorType.F32 && type != TensorType.BF16 && type != TensorType.F16) {
      throw new EngineException(
          Reason.INVALID_ARGUMENT,
          "weights are not written as " + type + "; take F32, BF16 or F16");
    }
    try (GgufFile gguf = GgufFile.open(file)) {
      GgufMetadata metadata = gguf.metadata();
      ModelShape shape = ModelShape.read(gguf);
      HubTokenizer tokenizer = HubTokenizer.read(metadata);
      if (tokenizer.tokens() > shape.vocabSize()) {
        throw new EngineException(
            Reason.CORRUPT,
            file
                + " has "
                + tokenizer.tokens()
                + " tokens, but embeddings of "
                + shape.vocabSize());
      }
      List<TensorData> weights = HubWeights.of(gguf, shape, type, listener);
      Optional<String> template = metadata.text("tokenizer.chat_template");
      byte[] config =
          JsonFiles.pretty(
              HubConfig.model(shape, RotaryScaling.read(gguf, shape), tokenizer.roles(), type));
      if (!metadata.has("tokenizer.ggml.pre") && tokenizer.isByteLevel()) {
        listener.onNotice(
            file + " does not say how its tokenizer cuts text into words; the default is taken");
      }
      AtomicFiles.writeFolder(
          folder,
          into -> {
            Files.write(into.resolve("config.json"), config);
            Files.write(
                into.resolve("generation_config.json"),
                JsonFiles.pretty(HubConfig.generation(tokenizer.roles())));
            Files.write(
                into.resolve("tokenizer_config.json"),
                JsonFiles.pretty(tokenizer.config(shape.maxPositions())));
            if (template.isPresent()) {
              Files.writeString(into.resolve("chat_template.jinja"), template.get());
            }
            try (OutputStream out =
                new BufferedOutputStream(Files.newOutputStream(into.resolve("tokenizer.json")))) {
              tokenizer.writeJson(out);
            }
            SafeTensorsWriter.write(
                into.resolve("model.safetensors"), weights, SafeTensorsWriter.PYTORCH);
          });
    }
  }
}
