package io.attune.engine.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.attune.engine.checkpoint.AtomicFiles;
import io.attune.engine.checkpoint.Manifest;
import io.attune.engine.fuzz.Format;
import io.attune.engine.fuzz.JsonEdits;
import io.attune.engine.fuzz.SafeTensorsFormat;
import io.attune.engine.tensor.Torch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * A training checkpoint: {@code trainer_state.json} or the tensors, whichever the file looks like,
 * in a folder with a manifest that fits, as an attacker would write it.
 */
public final class CheckpointFormat implements Format {
  private static final String FINGERPRINT = "fingerprint";

  @Override
  public String name() {
    return "checkpoint";
  }

  private static Map<String, NDArray> tensors(NDManager scope) {
    Map<String, NDArray> tensors = new LinkedHashMap<>();
    tensors.put("a", scope.zeros(new Shape(2, 3), DataType.FLOAT32));
    tensors.put("b", scope.zeros(new Shape(4), DataType.FLOAT32));
    return tensors;
  }

  private static void save(Path folder) {
    try (NDManager scope = Torch.scope("fuzz")) {
      new Checkpoints(folder, FINGERPRINT, notice -> {})
          .save(new Checkpoints.State(3, 40), tensors(scope));
    }
  }

  @Override
  public List<byte[]> seeds() throws IOException {
    Path folder = Files.createTempDirectory("checkpoint");
    try {
      save(folder);
      Path checkpoint = folder.resolve("checkpoint-3");
      return List.of(
          Files.readAllBytes(checkpoint.resolve("trainer_state.json")),
          Files.readAllBytes(checkpoint.resolve("training_state.safetensors")));
    } finally {
      AtomicFiles.deleteTree(folder);
    }
  }

  @Override
  public void read(byte[] file, Path folder) throws IOException {
    Path checkpoint = folder.resolve("checkpoint-3");
    AtomicFiles.deleteTree(checkpoint);
    save(folder);
    boolean json = file.length > 0 && file[0] == '{';
    Files.write(
        checkpoint.resolve(json ? "trainer_state.json" : "training_state.safetensors"), file);
    Files.delete(checkpoint.resolve(Manifest.FILE));
    Manifest.write(checkpoint);
    try (NDManager scope = Torch.scope("fuzz")) {
      new Checkpoints(folder, FINGERPRINT, notice -> {}).restore(tensors(scope));
    }
  }

  @Override
  public byte[] edit(byte[] file, Random random) {
    return file[0] == '{'
        ? JsonEdits.edit(file, random)
        : SafeTensorsFormat.editHeader(file, random);
  }
}
