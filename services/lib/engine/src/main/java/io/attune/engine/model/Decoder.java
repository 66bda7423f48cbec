package io.attune.engine.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.attune.engine.nn.CachedAttention;
import io.attune.engine.nn.MethodWriter;
import io.attune.engine.nn.Projection;
import io.attune.engine.tensor.Program;
import io.attune.engine.tensor.TensorList;
import io.attune.engine.tensor.TorchPrograms;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * Generation with a cache: all layers of a step in one program call.
 *
 * <p>The caller owns the policy: which sequence sits in which slot, and what to sample. Decoders of
 * several adapters over one base may share one {@link KvCache}, each working on its own slots. Safe
 * to share between threads; a cache is not.
 */
public final class Decoder implements AutoCloseable {
  private final Architecture architecture;
  private final Program program;
  private final TensorList weights;

  Decoder(Architecture architecture, Projection projection, Function<String, NDArray> source) {
    this.architecture = architecture;
    StringBuilder text = new StringBuilder();
    List<String> names = new ArrayList<>();
    MethodWriter out = new MethodWriter();
    String embed = range(names, Network.emitEmbed(architecture, text));
    out.line("h, cos, sin = self.embed(ids, position, %s)", embed);
    // 0 where a token may look, minus infinity after its own position; [n, 1, G * t, length].
    int groups = architecture.heads().groups();
    out.line("later = torch.gt(torch.arange(length), torch.view(position, [n, 1, 1, t, 1]))");
    out.line("mask = torch.masked_fill(torch.zeros([n, 1, 1, t, length]), later, float(\"-inf\"))");
    out.line("mask = torch.expand(mask, [n, 1, %d, t, length])", groups);
    out.line("mask = torch.reshape(mask, [n, 1, %d * t, length])", groups);
    CachedAttention attention = new CachedAttention();
    List<Network.Emitted> layers = Network.emitLayers(architecture, projection, attention, text);
    for (int i = 0; i < layers.size(); i++) {
      Network.Emitted layer = layers.get(i);
      out.line(
          "h = self.%s(h, cos, sin, %s, %s)",
          layer.method(),
          attention.arguments().replace("LAYER", Integer.toString(i)),
          range(names, layer.weights()));
    }
    out.line("h = torch.select(torch.view(h, [n, t, -1]), 1, t - 1)");
    out.line("h = self.finish(h, %s)", range(names, Network.emitFinish(architecture, text)));
    names.add(architecture.headWeight());
    out.line("return torch.linear(h, w[%d])", names.size() - 1);
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

  /** A cache that any decoder of this base model can use. */
  public KvCache newCache(int slots, int capacity) {
    return new KvCache(architecture, slots, capacity);
  }

  /**
   * Reads the next tokens of some sequences and gives the logits that follow the last of each.
   *
   * <p>A prompt is one call with a row of many tokens (in parts, if that suits the caller); then
   * each further token is one call with a token a row. Rows in slots that follow each other read
   * the cache in place; others cost a copy of what they read.
   *
   * @param slots a distinct slot for each row
   * @param tokens the new tokens, equally many (at least one) in each row
   * @param positions how many tokens of each row the cache holds already
   * @return [rows, V], in {@code scope}
   */
  public NDArray step(
      NDManager scope, KvCache cache, int[] slots, int[][] tokens, int[] positions) {
    int rows = slots.length;
    int count = tokens[0].length;
    long[] ids = new long[rows * count];
    long[] slot = new long[rows * count];
    long[] position = new long[rows * count];
    long[] row = new long[rows];
    int length = 0;
    boolean consecutive = true;
    for (int r = 0; r < rows; r++) {
      row[r] = slots[r];
      consecutive &= slots[r] == slots[0] + r;
      length = Math.max(length, positions[r] + count);
      if (tokens[r].length != count || slots[r] < 0 || slots[r] >= cache.slots()) {
        throw new IllegalArgumentException("row " + r + " has another length or no such slot");
      }
      for (int i = 0; i < count; i++) {
        ids[r * count + i] = tokens[r][i];
        slot[r * count + i] = slots[r];
        position[r * count + i] = positions[r] + i;
      }
    }
    if (length > cache.capacity()) {
      throw new IllegalArgumentException(
          length + " tokens do not fit a cache of " + cache.capacity());
    }
    try (NDManager inputs = scope.newSubManager()) {
      return program
          .infer(
              scope,
              "decode",
              inputs.create(ids),
              inputs.create(position),
              inputs.create(slot),
              inputs.create(row),
              cache.keys(),
              cache.values(),
              consecutive ? slots[0] : -1,
              rows,
              count,
              length,
              weights)
          .get(0);
    }
  }

  @Override
  public void close() {
    weights.close();
  }
}
