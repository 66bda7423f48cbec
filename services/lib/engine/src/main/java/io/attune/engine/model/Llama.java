package io.attune.engine.model;

import com.fasterxml.jackson.databind.JsonNode;

/** Llama (Touvron et al., arXiv 2302.13971; grouped queries from arXiv 2307.09288). */
public final class Llama extends RotaryDecoder {

  private Llama(RotaryConfig config, Biases biases) {
    super(config, biases);
  }

  static Llama parse(JsonNode json, String where) {
    ConfigReader in = new ConfigReader(json, where);
    RotaryConfig config = RotaryConfig.read(in, new RotaryConfig.Defaults("llama", 2048));
    boolean attention = in.flag("attention_bias", false);
    Biases biases = new Biases(attention, attention, in.flag("mlp_bias", false));
    // Shards of a former training layout, added up in another order.
    in.only("pretraining_tp", "1", "1");
    in.only("rope_interleaved", "false", "false");
    in.ignore("max_sequence_length"); // of early files; the reference reads none
    in.finish();
    return new Llama(config, biases);
  }
}
