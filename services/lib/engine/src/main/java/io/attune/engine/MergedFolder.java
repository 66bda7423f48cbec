package io.attune.engine;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.adapter.Adapter;
import io.attune.engine.checkpoint.AtomicFiles;
import io.attune.engine.checkpoint.HubLayout;
import io.attune.engine.checkpoint.SafeTensorsWriter;
import io.attune.engine.checkpoint.TensorArrays;
import io.attune.engine.checkpoint.TensorData;
import io.attune.engine.checkpoint.TensorReader;
import io.attune.engine.model.Weights;
import io.attune.engine.tensor.Torch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** A model's folder with an adapter folded into its weights. */
final class MergedFolder {
  private final Path base;
  private final Weights weights;

  MergedFolder(Path base, Weights weights) {
    this.base = base;
    this.weights = weights;
  }

  /** Tensors that the adapter leaves alone go over as they are stored, byte by byte. */
  void write(Adapter adapter, Path out) {
    HubLayout layout = HubLayout.of(base);
    try (NDManager scope = Torch.scope("merge");
        TensorReader stored = layout.openWeights()) {
      Map<String, NDArray> changed = new HashMap<>();
      adapter
          .merged(weights::get, scope)
          .forEach((name, array) -> changed.put(weights.storedName(name), array));
      List<TensorData> tensors = new ArrayList<>();
      for (String name : stored.names()) {
        NDArray array = changed.remove(name);
        tensors.add(
            array == null
                ? TensorData.copy(stored, name, name)
                : TensorArrays.write(name, array, stored.info(name).type()));
      }
      if (!changed.isEmpty()) {
        throw new EngineException(
            Reason.INCOMPATIBLE, stored.source() + " has no tensors " + changed.keySet());
      }
      AtomicFiles.writeFolder(
          out,
          folder -> {
            SafeTensorsWriter.write(
                folder.resolve("model.safetensors"), tensors, SafeTensorsWriter.PYTORCH);
            copyDescriptions(folder);
          });
    }
  }

  private void copyDescriptions(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(base)) {
      for (Path file : files.toList()) {
        String name = file.getFileName().toString();
        if (name.equals("config.json") || RunOutput.describesTokens(file)) {
          Files.copy(file, folder.resolve(name));
        }
      }
    }
  }
}
