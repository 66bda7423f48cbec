package io.attune.engine.adapter;

import ai.djl.ndarray.types.Shape;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.checkpoint.AdapterFiles;
import io.attune.engine.checkpoint.TensorReader;
import io.attune.engine.nn.Linear;
import java.util.List;
import java.util.Map;

/** From {@code peft_type} to the adapter that implements it. */
public final class Adapters {
  private Adapters() {}

  /**
   * @param linears layers of the base model that may have an adapter
   * @param savedShapes shapes of base weights, and of heads, that an adapter may replace
   */
  public static Adapter read(
      AdapterFiles files, List<Linear> linears, Map<String, Shape> savedShapes) {
    String where = files.folder().resolve(AdapterFiles.CONFIG).toString();
    String type = files.config().path("peft_type").asText("");
    try (TensorReader weights = files.openWeights()) {
      return switch (type) {
        case "LORA" ->
            Lora.read(LoraConfig.parse(files.config(), where), linears, savedShapes, weights);
        default ->
            throw new EngineException(
                Reason.UNSUPPORTED, where + ": peft_type '" + type + "'; implemented is LORA");
      };
    }
  }
}
