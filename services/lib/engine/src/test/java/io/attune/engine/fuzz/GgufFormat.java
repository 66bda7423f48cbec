package io.attune.engine.fuzz;

import io.attune.engine.Golden;
import io.attune.engine.gguf.GgufFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** {@code *.gguf}: metadata, and every tensor dequantised. */
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
    }
  }

  @Override
  public byte[] edit(byte[] file, Random random) {
    return ByteEdits.edit(file, file, random);
  }
}
