package io.attune.engine.model;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Qwen 2 and 2.5 (arXiv 2407.10671, 2412.15115): a Llama with biases on queries, keys and values
 * and, if so configured, a window in the upper layers.
 */
public final class Qwen2 extends RotaryDecoder {

  private Qwen2(RotaryConfig config) {
    super(config, new Biases(true, false, false));
  }

  static Qwen2 parse(JsonNode json, String where) {
    ConfigReader in = new ConfigReader(json, where);
    RotaryConfig config =
        withUpperWindows(in, RotaryConfig.read(in, new RotaryConfig.Defaults("qwen2", 32768)));
    in.finish();
    return new Qwen2(config);
  }

  /** The window of {@code sliding_window} in the layers from {@code max_window_layers} on. */
  static RotaryConfig withUpperWindows(ConfigReader in, RotaryConfig config) {
    int window = in.window("sliding_window", 4096);
    int first = in.integer("max_window_layers", 28);
    int used = in.flag("use_sliding_window", false) ? window : 0;
    List<String> types =
        IntStream.range(0, config.model().layers())
            .mapToObj(i -> used > 0 && i >= first ? "sliding_attention" : "full_attention")
            .toList();
    return config.withLayerTypes(in, used, types);
  }
}
