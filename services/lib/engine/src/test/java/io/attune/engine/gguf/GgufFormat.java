package io.attune.engine.gguf;

import io.attune.engine.Golden;
import io.attune.engine.ProgressListener;
import io.attune.engine.checkpoint.TensorType;
import io.attune.engine.fuzz.ByteEdits;
import io.attune.engine.fuzz.Format;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** {@code *.gguf}: every value of it, and what an import makes of them, without writing it. */
public final class GgufFormat implements Format {
  @Override
  public String name() {
    return "gguf";
  }

  @Override
  public List<byte[]> seeds() throws IOException {
    List<byte[]> seeds = new ArrayList<>();
    for (String name : List.of("llama", "qwen3", "vocab-spm")) {
      seeds.add(Files.readAllBytes(Golden.path("gguf/" + name + ".gguf")));
    }
    return seeds;
  }

  @Override
  public void read(byte[] file, Path folder) throws IOException {
    Path path = folder.resolve("fuzz.gguf");
    Files.write(path, file);
    try (GgufFile opened = GgufFile.open(path)) {
      opened.readFully();
      HubTokenizer tokenizer = HubTokenizer.read(opened.metadata());
      tokenizer.writeJson(OutputStream.nullOutputStream());
      // A vocabulary alone is a file too, though none that can be imported.
      if (!opened.tensors().isEmpty()) {
        ModelShape shape = ModelShape.read(opened);
        HubWeights.of(opened, shape, TensorType.F32, ProgressListener.NONE);
        HubConfig.model(
            shape, RotaryScaling.read(opened, shape), tokenizer.roles(), TensorType.F32);
      }
    }
  }

  @Override
  public byte[] edit(byte[] file, Random random) {
    return ByteEdits.edit(file, file, random);
  }
}
