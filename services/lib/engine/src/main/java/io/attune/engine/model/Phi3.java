package io.attune.engine.model;

import com.fasterxml.jackson.databind.JsonNode;
import io.attune.engine.nn.Linear;
import java.util.List;

/**
 * Phi-3 (arXiv 2404.14219): a Llama with one layer for queries, keys and values and one for gate
 * and up, perhaps a window, and LongRoPE in the long variants.
 */
public final class Phi3 extends RotaryDecoder {

  private Phi3(RotaryConfig config) {
    super(config, Biases.NONE);
  }

  static Phi3 parse(JsonNode json, String where) {
    ConfigReader in = new ConfigReader(json, where);
    RotaryConfig config =
        RotaryConfig.read(in, new RotaryConfig.Defaults("phi3", 4096, 1e-5, false, 4096, true))
            .withOneWindow(in, 0);
    in.ignore("resid_pdrop", "embd_pdrop");
    in.ignore("original_max_position_embeddings"); // of no meaning without LongRoPE
    in.ignore("full_attn_mod", "interpolate_factor"); // of the code that the hub has beside it
    in.finish();
    return new Phi3(config);
  }

  @Override
  List<Linear> queryKeyValue(int layer) {
    int heads = heads().queries() + 2 * heads().keyValues();
    return List.of(
        new Linear(name(layer, "self_attn.qkv_proj"), hiddenSize(), heads * heads().size(), false));
  }

  @Override
  List<Linear> gateUp(int layer) {
    return List.of(
        new Linear(name(layer, "mlp.gate_up_proj"), hiddenSize(), 2 * intermediateSize(), false));
  }
}
