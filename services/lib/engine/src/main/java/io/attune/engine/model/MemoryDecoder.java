package io.attune.engine.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.attune.engine.nn.CachedAttention;
import io.attune.engine.nn.CachedCrossAttention;
import io.attune.engine.nn.DenseProjection;
import io.attune.engine.nn.MethodWriter;
import io.attune.engine.nn.Seams;
import io.attune.engine.tensor.Program;
import io.attune.engine.tensor.TensorList;
import io.attune.engine.tensor.Torch;
import io.attune.engine.tensor.TorchPrograms;
import java.util.List;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/**
 * Generation by an encoder-decoder: a text is read once, then all layers of a step are one program
 * call, as {@link Decoder} does it for a decoder alone. Safe to share between threads; caches are
 * not.
 */
public final class MemoryDecoder implements AutoCloseable {
  private final EncoderDecoderModel model;
  private final Network encoder;
  private final Program program;
  private final TensorList rememberWeights;
  private final TensorList decodeWeights;

  /**
   * @param adapter what changes how parts are computed; identity for the model alone
   * @param encoder the model's encoder with the same adapter
   * @param source from names, as the model and the adapter use them, to arrays
   */
  MemoryDecoder(
      EncoderDecoderModel model,
      UnaryOperator<Seams> adapter,
      Network encoder,
      Function<String, NDArray> source) {
    this.model = model;
    this.encoder = encoder;
    CachedAttention attention = new CachedAttention();
    Seams seams =
        adapter.apply(new Seams(new DenseProjection(), attention, new CachedCrossAttention()));
    StringBuilder text = new StringBuilder();
    List<String> remembered = emitRemember(seams, text);
    List<String> decoded = emitDecode(seams, attention, text);
    program = TorchPrograms.compile(text.toString());
    rememberWeights = new TensorList(Network.resolve(remembered, source));
    decodeWeights = new TensorList(Network.resolve(decoded, source));
  }

  private List<String> emitRemember(Seams seams, StringBuilder text) {
    CrossStack decoder = model.decoder();
    MethodWriter out = new MethodWriter();
    out.line("end = torch.size(memory, 0)");
    for (int i = 0; i < decoder.layers(); i++) {
      List<String> keyValue = decoder.memory(out, i, "memory", seams);
      String place = "torch.slice(torch.select(m%s[%d], 0, slot), 0, 0, end)";
      out.value("torch.copy_(" + place + ", %s)", "k", i, keyValue.get(0));
      out.value("torch.copy_(" + place + ", %s)", "v", i, keyValue.get(1));
    }
    out.line("return memory");
    text.append(
        out.method(
            "remember",
            "(self: SELF, memory: Tensor, slot: int, mk: List[Tensor], mv: List[Tensor], w:"
                + " List[Tensor]) -> Tensor"));
    return out.weights();
  }

  private List<String> emitDecode(Seams seams, CachedAttention attention, StringBuilder text) {
    CachedStep step = new CachedStep(model.decoder(), seams, attention, text);
    MethodWriter out = step.out();
    String logits = out.value("torch.linear(h, %s)", step.weight(model.headWeight()));
    String bias = model.headBias();
    if (bias != null) {
      logits = out.value("torch.add(%s, %s)", logits, step.weight(bias));
    }
    return step.end(
        "mk: List[Tensor], mv: List[Tensor], memory_rows: Tensor, memory_mask: Tensor,"
            + " memory_first: int, memory_length: int, ",
        logits);
  }

  /** A cache of what is written, for any decoder of this base model. */
  public KvCache newCache(int slots, int capacity) {
    return new KvCache(model.decoder(), slots, capacity);
  }

  /** A cache of what was read, for any decoder of this base model. */
  public MemoryCache newMemory(int slots, int capacity) {
    return new MemoryCache(model.decoder(), slots, capacity);
  }

  /** Reads a text with the encoder, and keeps what the decoder's layers make of it in a slot. */
  public void read(MemoryCache memory, int slot, int[] source) {
    if (source.length > memory.capacity()) {
      throw new IllegalArgumentException(
          source.length + " tokens do not fit a memory of " + memory.capacity());
    }
    try (NDManager scope = Torch.scope("read");
        Torch.GradMode mode = Torch.gradMode(false)) {
      NDArray hidden = encoder.hidden(scope, TokenBatch.of(scope, List.of(source)));
      program.infer(
          scope, "remember", hidden, slot, memory.keys(), memory.values(), rememberWeights);
      memory.setLength(slot, source.length);
    }
  }

  /**
   * Reads the next tokens of some sequences and gives the logits that follow the last of each.
   *
   * @param slots a distinct slot of {@code cache} for each row
   * @param texts slots of {@code memory}: the texts that the rows look at, in order, equally many
   *     rows for each
   * @param tokens the new tokens, equally many (at least one) in each row
   * @param positions how many tokens of each row the cache holds already
   * @return [rows, V], in {@code scope}
   */
  public NDArray step(
      NDManager scope,
      KvCache cache,
      int[] slots,
      MemoryCache memory,
      int[] texts,
      int[][] tokens,
      int[] positions) {
    CacheRows rows = CacheRows.of(cache, slots, tokens, positions);
    if (rows.unpad().length > 0) {
      throw new IllegalArgumentException("rows have unequal numbers of tokens");
    }
    int longest = 0;
    for (int text : texts) {
      longest = Math.max(longest, memory.length(text));
    }
    float[] mask = new float[texts.length * longest];
    for (int i = 0; i < texts.length; i++) {
      for (int t = memory.length(texts[i]); t < longest; t++) {
        mask[i * longest + t] = Float.NEGATIVE_INFINITY;
      }
    }
    try (NDManager inputs = scope.newSubManager()) {
      List<Object> arguments = rows.arguments(inputs, cache);
      arguments.add(memory.keys());
      arguments.add(memory.values());
      arguments.add(inputs.create(CacheRows.longs(texts)));
      arguments.add(inputs.create(mask, new Shape(texts.length, 1, 1, longest)));
      arguments.add(CacheRows.first(texts));
      arguments.add(longest);
      arguments.add(decodeWeights);
      return program.infer(scope, "decode", arguments.toArray()).get(0);
    }
  }

  @Override
  public void close() {
    rememberWeights.close();
    decodeWeights.close();
  }
}
