package io.attune.engine.model;

import com.fasterxml.jackson.databind.JsonNode;

/** Mistral (Jiang et al., arXiv 2310.06825): a Llama whose tokens see a window of the past. */
public final class Mistral extends RotaryDecoder {

  private Mistral(RotaryConfig config) {
    super(config, Biases.NONE);
  }

  static Mistral parse(JsonNode json, String where) {
    ConfigReader in = new ConfigReader(json, where);
    RotaryConfig config =
        RotaryConfig.read(in, new RotaryConfig.Defaults("mistral", 4096 * 32))
            .withOneWindow(in, 4096);
    in.finish();
    return new Mistral(config);
  }
}
