package io.attune.engine.adapter;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.checkpoint.AdapterFiles;
import io.attune.engine.checkpoint.TensorReader;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiFunction;
import java.util.function.Consumer;

/**
 * From {@code peft_type} to the adapter that implements it: PEFT's types, and {@code BOTTLENECK},
 * which it has not.
 */
public final class Adapters {
  private static final Map<String, BiFunction<AdapterConfig, BaseModel, PeftAdapter>> KINDS =
      new TreeMap<>(
          Map.of(
              "LORA", Lora::new,
              "IA3", Ia3::new,
              "VERA", Vera::new,
              "BOTTLENECK", Bottleneck::new,
              "PROMPT_TUNING", PromptTuning::new,
              "P_TUNING", PTuning::new,
              "PREFIX_TUNING", PrefixTuning::new));

  private Adapters() {}

  /** Reads an adapter; refuses settings and tensors that do not fit the model, naming them. */
  public static Adapter read(AdapterFiles files, BaseModel base) {
    String where = files.folder().resolve(AdapterFiles.CONFIG).toString();
    try (TensorReader weights = files.openWeights()) {
      return build(files.config(), where, base, adapter -> adapter.read(weights));
    }
  }

  /**
   * Makes a new adapter, its weights drawn as PEFT draws them.
   *
   * @param config {@code adapter_config.json}
   */
  public static Adapter create(ObjectNode config, BaseModel base, Start start) {
    return build(config, "new adapter", base, adapter -> adapter.initialise(start));
  }

  private static Adapter build(
      ObjectNode json, String where, BaseModel base, Consumer<PeftAdapter> fill) {
    String type = json.path("peft_type").asText("");
    BiFunction<AdapterConfig, BaseModel, PeftAdapter> kind = KINDS.get(type);
    if (kind == null) {
      throw new EngineException(
          Reason.UNSUPPORTED,
          where
              + ": peft_type '"
              + type
              + "'; implemented are "
              + String.join(", ", KINDS.keySet()));
    }
    PeftAdapter adapter = null;
    boolean filled = false;
    try {
      adapter = kind.apply(new AdapterConfig(json, where), base);
      fill.accept(adapter);
      filled = true;
      return adapter;
    } catch (IllegalArgumentException e) { // a pattern that was given up
      throw new EngineException(Reason.INVALID_ARGUMENT, where + ": " + e.getMessage(), e);
    } finally {
      if (adapter != null && !filled) {
        adapter.close();
      }
    }
  }
}
