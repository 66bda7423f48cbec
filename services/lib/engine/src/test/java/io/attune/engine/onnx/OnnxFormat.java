package io.attune.engine.onnx;

import io.attune.engine.Golden;
import io.attune.engine.fuzz.ByteEdits;
import io.attune.engine.fuzz.Format;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** {@code *.onnx}: the graph, and the encoder that is found in it. */
public final class OnnxFormat implements Format {
  @Override
  public String name() {
    return "onnx";
  }

  @Override
  public List<byte[]> seeds() throws IOException {
    List<byte[]> seeds = new ArrayList<>();
    for (String name : List.of("eager-opset14", "eager-opset20", "sdpa-opset18")) {
      seeds.add(Files.readAllBytes(Golden.path("onnx/" + name + ".onnx")));
    }
    return seeds;
  }

  @Override
  public void read(byte[] file, Path folder) throws IOException {
    Path path = folder.resolve("fuzz.onnx");
    Files.write(path, file);
    BertGraph.match(OnnxReader.read(path));
  }

  @Override
  public byte[] edit(byte[] file, Random random) {
    return ByteEdits.edit(file, file, random);
  }
}
