package io.attune.engine.fuzz;

import io.attune.engine.checkpoint.HubLayout;
import io.attune.engine.checkpoint.TensorReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** {@code model.safetensors.index.json}, beside two shards. */
public final class ShardIndexFormat implements Format {
  @Override
  public String name() {
    return "shard-index";
  }

  @Override
  public List<byte[]> seeds() {
    return List.of(
        ("{\"metadata\":{\"total_size\":84},\"weight_map\":{\"a\":\"1.safetensors\","
                + "\"b\":\"1.safetensors\",\"c\":\"2.safetensors\",\"d\":\"2.safetensors\"}}")
            .getBytes(StandardCharsets.UTF_8));
  }

  @Override
  public void read(byte[] file, Path folder) throws IOException {
    if (!Files.exists(folder.resolve("config.json"))) {
      byte[] shard = new SafeTensorsFormat().seeds().get(0);
      Files.write(folder.resolve("1.safetensors"), shard);
      Files.write(folder.resolve("2.safetensors"), shard);
      Files.writeString(folder.resolve("config.json"), "{}");
    }
    Files.write(folder.resolve("model.safetensors.index.json"), file);
    try (TensorReader reader = HubLayout.of(folder).openWeights()) {
      reader.metadata();
      reader.names().forEach(reader::segments);
    }
  }
}
