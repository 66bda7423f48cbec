package io.attune.engine.gguf;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.ProgressListener;
import io.attune.engine.checkpoint.TensorData;
import io.attune.engine.checkpoint.TensorType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongUnaryOperator;

/** From the tensors of a file to the weights of transformers' class: names, shapes, row order. */
final class HubWeights {
  static final String EMBEDDING = "token_embd.weight";
  static final String HEAD = "output.weight";

  /**
   * Where a tensor goes.
   *
   * @param rotaryHeads heads whose rows are put in transformers' order; 0 for rows that stay
   */
  private record Target(String name, long[] shape, int rotaryHeads) {}

  /** At least: two norms, four projections of attention, three of the feed-forward network. */
  private static final int TENSORS_OF_LAYER = 9;

  private final Map<String, Target> targets = new LinkedHashMap<>();
  private final ModelShape shape;

  private HubWeights(ModelShape shape) {
    this.shape = shape;
    long e = shape.hiddenSize();
    put(EMBEDDING, "model.embed_tokens.weight", 0, shape.vocabSize(), e);
    for (int i = 0; i < shape.layers(); i++) {
      layer("blk." + i + ".", "model.layers." + i + ".");
    }
    put("output_norm.weight", "model.norm.weight", 0, e);
    if (!shape.tiedEmbeddings()) {
      put(HEAD, "lm_head.weight", 0, shape.vocabSize(), e);
    }
  }

  private void layer(String from, String to) {
    long e = shape.hiddenSize();
    long d = shape.headSize();
    long f = shape.intermediateSize();
    boolean swap = shape.family().neighbouringPairs();
    put(from + "attn_norm.weight", to + "input_layernorm.weight", 0, e);
    put(from + "ffn_norm.weight", to + "post_attention_layernorm.weight", 0, e);
    linear(
        from + "attn_q",
        to + "self_attn.q_proj",
        swap ? shape.heads() : 0,
        shape.heads() * d,
        e,
        shape.queryKeyValueBias());
    linear(
        from + "attn_k",
        to + "self_attn.k_proj",
        swap ? shape.keyValueHeads() : 0,
        shape.keyValueHeads() * d,
        e,
        shape.queryKeyValueBias());
    linear(
        from + "attn_v",
        to + "self_attn.v_proj",
        0,
        shape.keyValueHeads() * d,
        e,
        shape.queryKeyValueBias());
    linear(
        from + "attn_output", to + "self_attn.o_proj", 0, e, shape.heads() * d, shape.outputBias());
    if (shape.family().queryKeyNorm()) {
      put(from + "attn_q_norm.weight", to + "self_attn.q_norm.weight", 0, d);
      put(from + "attn_k_norm.weight", to + "self_attn.k_norm.weight", 0, d);
    }
    linear(from + "ffn_gate", to + "mlp.gate_proj", 0, f, e, shape.feedForwardBias());
    linear(from + "ffn_up", to + "mlp.up_proj", 0, f, e, shape.feedForwardBias());
    linear(from + "ffn_down", to + "mlp.down_proj", 0, e, f, shape.feedForwardBias());
  }

  private void linear(
      String from, String to, int rotaryHeads, long outputs, long inputs, boolean bias) {
    put(from + ".weight", to + ".weight", rotaryHeads, outputs, inputs);
    if (bias) {
      put(from + ".bias", to + ".bias", rotaryHeads, outputs);
    }
  }

  private void put(String from, String to, int rotaryHeads, long... size) {
    targets.put(from, new Target(to, size, rotaryHeads));
  }

  /**
   * Weights to be written; each is dequantised when its turn comes.
   *
   * @param listener hears of each weight as it is written
   */
  static List<TensorData> of(
      GgufFile file, ModelShape shape, TensorType type, ProgressListener listener) {
    refuseImpossible(file, shape);
    HubWeights weights = new HubWeights(shape);
    for (GgufTensor tensor : file.tensors().values()) {
      if (!weights.targets.containsKey(tensor.name())
          && !tensor.name().equals(RotaryScaling.FACTORS)) {
        throw new EngineException(
            Reason.UNSUPPORTED,
            file.source()
                + ": tensor '"
                + tensor.name()
                + "' has no place in "
                + shape.family().className());
      }
    }
    List<TensorData> result = new ArrayList<>();
    int total = weights.targets.size();
    int[] written = {0};
    weights.targets.forEach(
        (name, target) -> {
          GgufTensor tensor = find(file, name, target);
          TensorValues values =
              target.rotaryHeads == 0
                  ? TensorValues.of(file, tensor, type)
                  : TensorValues.reordered(file, tensor, type, rowOrder(tensor, target));
          result.add(
              new TensorData(
                  target.name,
                  type,
                  target.shape,
                  () -> {
                    listener.onStep(++written[0], total, Map.of());
                    return values;
                  }));
        });
    return result;
  }

  /** A list of weights is never made much longer than the file's own. */
  private static void refuseImpossible(GgufFile file, ModelShape shape) {
    if (shape.layers() > file.tensors().size() / TENSORS_OF_LAYER) {
      throw new EngineException(
          Reason.CORRUPT,
          file.source()
              + " should have "
              + shape.layers()
              + " layers and has "
              + file.tensors().size()
              + " tensors");
    }
  }

  private static GgufTensor find(GgufFile file, String name, Target target) {
    GgufTensor tensor = file.tensors().get(name);
    if (tensor == null) {
      throw new EngineException(
          Reason.CORRUPT, file.source() + " has no tensor '" + name + "', which its model needs");
    }
    if (!Arrays.equals(tensor.shape(), target.shape)) {
      throw new EngineException(
          Reason.CORRUPT,
          file.source()
              + ": tensor '"
              + name
              + "' has shape "
              + Arrays.toString(tensor.shape())
              + ", but by the metadata it is "
              + Arrays.toString(target.shape));
    }
    return tensor;
  }

  /** Row j of the first half of a head is row 2j of the file, row j of the second is 2j + 1. */
  private static LongUnaryOperator rowOrder(GgufTensor tensor, Target target) {
    long head = tensor.shape()[0] / target.rotaryHeads;
    long half = head / 2;
    return row -> {
      long within = row % head;
      return row - within + 2 * (within % half) + within / half;
    };
  }
}
