package io.attune.engine.gguf;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/**
 * What the metadata says about the network. Every key of the architecture is either read here or in
 * {@link RotaryScaling}, or known to leave the numbers alone, or refused by name.
 *
 * @param queryKeyValueBias whether the three projections have biases
 * @param outputBias whether the projection after attention has one
 * @param feedForwardBias whether the feed-forward network's linear layers have them
 */
record ModelShape(
    ModelFamily family,
    int vocabSize,
    int hiddenSize,
    int intermediateSize,
    int layers,
    int heads,
    int keyValueHeads,
    int headSize,
    int maxPositions,
    double rmsNormEps,
    double ropeTheta,
    boolean tiedEmbeddings,
    boolean queryKeyValueBias,
    boolean outputBias,
    boolean feedForwardBias) {

  private static final int MAX_HEAD_SIZE = 1 << 16;

  private static final Set<String> KNOWN =
      Set.of(
          "vocab_size",
          "context_length",
          "embedding_length",
          "block_count",
          "feed_forward_length",
          "attention.head_count",
          "attention.head_count_kv",
          "attention.key_length",
          "attention.value_length",
          "attention.layer_norm_rms_epsilon",
          "rope.dimension_count",
          "rope.freq_base");

  static ModelShape read(GgufFile file) {
    GgufMetadata metadata = file.metadata();
    String architecture =
        metadata
            .text("general.architecture")
            .orElseThrow(() -> metadata.corrupt("general.architecture", "is missing"));
    ModelFamily family =
        ModelFamily.of(architecture)
            .orElseThrow(
                () ->
                    metadata.unsupported(
                        "general.architecture",
                        "is '" + architecture + "'; llama, qwen2 and qwen3 can be imported"));
    String prefix = architecture + ".";
    refuseUnknown(metadata, prefix);
    Map<String, GgufTensor> tensors = file.tensors();
    GgufTensor embedding = tensors.get(HubWeights.EMBEDDING);
    if (embedding == null || embedding.shape().length != 2) {
      throw new EngineException(
          Reason.CORRUPT,
          file.source() + " has no matrix '" + HubWeights.EMBEDDING + "', the token embeddings");
    }
    int hidden = metadata.required(prefix + "embedding_length");
    int heads = metadata.required(prefix + "attention.head_count");
    int keyValueHeads =
        metadata.has(prefix + "attention.head_count_kv")
            ? metadata.required(prefix + "attention.head_count_kv")
            : heads;
    if (heads % keyValueHeads != 0) {
      throw metadata.corrupt(
          prefix + "attention.head_count_kv",
          "is " + keyValueHeads + ", which does not divide the " + heads + " heads");
    }
    Predicate<String> has = tensors::containsKey;
    return new ModelShape(
        family,
        (int) embedding.shape()[0],
        hidden,
        metadata.required(prefix + "feed_forward_length"),
        metadata.required(prefix + "block_count"),
        heads,
        keyValueHeads,
        headSize(metadata, prefix, hidden, heads),
        metadata.required(prefix + "context_length"),
        metadata
            .number(prefix + "attention.layer_norm_rms_epsilon")
            .orElseThrow(
                () -> metadata.corrupt(prefix + "attention.layer_norm_rms_epsilon", "is missing")),
        metadata.number(prefix + "rope.freq_base").orElse(10_000),
        !has.test(HubWeights.HEAD),
        has.test("blk.0.attn_q.bias"),
        has.test("blk.0.attn_output.bias"),
        has.test("blk.0.ffn_down.bias"));
  }

  private static int headSize(GgufMetadata metadata, String prefix, int hidden, int heads) {
    String key = prefix + "attention.key_length";
    int size = metadata.has(key) ? metadata.required(key) : hidden / heads;
    for (String same : new String[] {"attention.value_length", "rope.dimension_count"}) {
      if (metadata.has(prefix + same) && metadata.required(prefix + same) != size) {
        throw metadata.unsupported(
            prefix + same,
            "is "
                + metadata.required(prefix + same)
                + " where a head has "
                + size
                + "; only equal sizes are implemented");
      }
    }
    if (size % 2 != 0 || size < 2 || size > MAX_HEAD_SIZE) {
      throw metadata.corrupt(
          key, "is " + size + "; it must be even, for rotary positions, up to " + MAX_HEAD_SIZE);
    }
    return size;
  }

  private static void refuseUnknown(GgufMetadata metadata, String prefix) {
    for (String key : metadata.keys()) {
      if (key.startsWith(prefix)
          && !KNOWN.contains(key.substring(prefix.length()))
          && !RotaryScaling.KNOWN.contains(key.substring(prefix.length()))
          && !metadata.isZero(key)) {
        throw metadata.unsupported(key, "is a setting that is not implemented");
      }
    }
  }
}
