package io.attune.engine.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.attune.engine.checkpoint.TensorType;
import io.attune.engine.nn.CachedAttention;
import io.attune.engine.nn.FewRowsProjection;
import io.attune.engine.nn.MethodWriter;
import io.attune.engine.nn.Seams;
import io.attune.engine.tensor.Program;
import io.attune.engine.tensor.TensorList;
import io.attune.engine.tensor.Torch;
import io.attune.engine.tensor.TorchPrograms;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/**
 * Generation with a cache: all layers of a step in one program call.
 *
 * <p>The caller owns the policy: which sequence sits in which slot, and what to sample. Decoders of
 * several adapters over one base may share one {@link KvCache}, each working on its own slots. Safe
 * to share between threads; a cache is not.
 */
public final class Decoder implements AutoCloseable {
  private final DecoderModel model;
  private final boolean narrow;
  private final Program program;
  private final TensorList weights;

  /**
   * @param adapter what changes how parts are computed; identity for the model alone
   * @param source from names, as the model and the adapter use them, to arrays
   * @param type of those arrays: F32 or BF16
   */
  public Decoder(
      DecoderModel model,
      UnaryOperator<Seams> adapter,
      Function<String, NDArray> source,
      TensorType type) {
    this.model = model;
    this.narrow = type == TensorType.BF16;
    StringBuilder text = new StringBuilder();
    List<String> names = new ArrayList<>();
    CachedAttention attention = new CachedAttention();
    FewRowsProjection projection = new FewRowsProjection(Torch.threads(), narrow);
    Seams seams = adapter.apply(new Seams(projection, attention));
    String embed = range(names, Network.emitEmbed(model, seams, text));
    List<Network.Emitted> layers = Network.emitLayers(model, seams, text);
    MethodWriter out = new MethodWriter();
    attention.emitMasks(out, model.heads().groups());
    List<String> results = new ArrayList<>(List.of("h"));
    results.addAll(model.state());
    out.line(
        "%s = self.embed(position, %s, %s)", String.join(", ", results), seams.arguments(0), embed);
    for (int i = 0; i < layers.size(); i++) {
      Network.Emitted layer = layers.get(i);
      out.line(
          "h = self.%s(%s, %s, %s)",
          layer.method(),
          String.join(", ", results),
          seams.arguments(i),
          range(names, layer.weights()));
    }
    out.line("h = torch.select(torch.view(h, [n, t, -1]), 1, t - 1)");
    out.line("h = self.finish(h, %s)", range(names, Network.emitFinish(model, text)));
    names.add(model.headWeight());
    String head = "w[" + (names.size() - 1) + "]";
    int e = model.config().hiddenSize();
    String logits = projection.product(out, "h", head, "None", e, model.config().vocabSize());
    logits = out.value("torch.to(%s, 6)", logits);
    if (model.logitSoftcap() > 0) {
      String cap = MethodWriter.number(model.logitSoftcap());
      logits = out.value("torch.mul(torch.tanh(torch.div(%s, %s)), %s)", logits, cap, cap);
    }
    out.line("return " + logits);
    text.append(
        out.method(
            "decode",
            "(self: SELF, ids: Tensor, position: Tensor, slot: Tensor, rows: Tensor, kc:"
                + " List[Tensor], vc: List[Tensor], first: int, n: int, t: int, length: int, w:"
                + " List[Tensor]) -> Tensor"));
    program = TorchPrograms.compile(text.toString());
    weights = new TensorList(Network.resolve(names, source));
  }

  private static String range(List<String> all, List<String> part) {
    int from = all.size();
    all.addAll(part);
    return "w[" + from + ":" + all.size() + "]";
  }

  /** Whether a prompt must be read in one step: its positions depend on its length. */
  public boolean readsPromptsWhole() {
    return model.positionsDependOnLength();
  }

  /** The length of a text past which all of it must be read again, from position 0. */
  public int rereadAfter() {
    return model.rereadAfter();
  }

  /** A cache that any decoder of this base model can use. */
  public KvCache newCache(int slots, int capacity) {
    return new KvCache(model, slots, capacity, narrow);
  }

  /**
   * Reads the next tokens of some sequences and gives the logits that follow the last of each.
   *
   * <p>A prompt is one call with a row of many tokens (in parts, if that suits the caller and the
   * model allows it); then each further token is one call with a token a row. Rows in slots that
   * follow each other read the cache in place; others cost a copy of what they read.
   *
   * @param slots a distinct slot for each row
   * @param tokens the new tokens, equally many (at least one) in each row
   * @param positions how many tokens of each row the cache holds already
   * @return [rows, V], in {@code scope}
   */
  public NDArray step(
      NDManager scope, KvCache cache, int[] slots, int[][] tokens, int[] positions) {
    CacheRows rows = CacheRows.of(cache, slots, tokens, positions);
    try (NDManager inputs = scope.newSubManager()) {
      return program
          .infer(
              scope,
              "decode",
              inputs.create(rows.ids()),
              inputs.create(rows.position()),
              inputs.create(rows.slot()),
              inputs.create(CacheRows.longs(slots)),
              cache.keys(),
              cache.values(),
              CacheRows.first(slots),
              slots.length,
              tokens[0].length,
              rows.length(),
              weights)
          .get(0);
    }
  }

  @Override
  public void close() {
    weights.close();
  }
}
