package io.attune.engine.checkpoint;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Optional;

/**
 * An adapter folder as PEFT lays it out: {@code adapter_config.json} and {@code
 * adapter_model.safetensors}, and beside them {@code attune.json} where this platform wrote it.
 *
 * @param config raw, so that keys of later PEFT versions survive a round trip
 */
public record AdapterFiles(Path folder, ObjectNode config) {
  public static final String CONFIG = "adapter_config.json";
  public static final String WEIGHTS = "adapter_model.safetensors";

  /** What PEFT puts before the name of a base model's module. */
  public static final String PREFIX = "base_model.model.";

  /** Contract, base model digest and lineage; see {@link #attune()}. */
  public static final String ATTUNE = "attune.json";

  private static final long MAX_CONFIG_BYTES = 4L << 20;

  /** Reads the configuration; refuses a folder that lacks one or has only pickled weights. */
  public static AdapterFiles open(Path folder) {
    Path config =
        ModelFiles.find(folder, CONFIG)
            .orElseThrow(
                () ->
                    new EngineException(
                        Reason.IO, folder + " is not an adapter folder: it has no " + CONFIG));
    weights(folder);
    return new AdapterFiles(folder, JsonFiles.readObject(config, MAX_CONFIG_BYTES));
  }

  private static Path weights(Path folder) {
    return ModelFiles.find(folder, WEIGHTS)
        .orElseThrow(() -> ForeignFormat.noWeights(folder, WEIGHTS));
  }

  public TensorReader openWeights() {
    return SafeTensors.open(weights(folder));
  }

  /** What this platform stored beside the adapter; empty for an adapter made elsewhere. */
  public Optional<ObjectNode> attune() {
    return ModelFiles.find(folder, ATTUNE)
        .map(path -> JsonFiles.readObject(path, MAX_CONFIG_BYTES));
  }

  /** Writes configuration and weights into a folder, each file atomically. */
  public static void write(Path folder, ObjectNode config, Collection<TensorData> tensors) {
    SafeTensorsWriter.write(folder.resolve(WEIGHTS), tensors, SafeTensorsWriter.PYTORCH);
    AtomicFiles.write(folder.resolve(CONFIG), JsonFiles.pretty(config));
  }
}
