package io.attune.engine.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.attune.engine.checkpoint.TensorType;
import io.attune.engine.nn.CachedAttention;
import io.attune.engine.nn.FewRowsProjection;
import io.attune.engine.nn.Linear;
import io.attune.engine.nn.MethodWriter;
import io.attune.engine.nn.PackedProjection;
import io.attune.engine.nn.Seams;
import io.attune.engine.tensor.Program;
import io.attune.engine.tensor.TensorList;
import io.attune.engine.tensor.Torch;
import io.attune.engine.tensor.TorchPrograms;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

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
  private final @Nullable NDManager packed;

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
    this.packed = null;
    FewRowsProjection projection = new FewRowsProjection(Torch.threads(), narrow);
    StringBuilder text = new StringBuilder();
    CachedAttention attention = new CachedAttention();
    Seams seams = adapter.apply(new Seams(projection, attention));
    CachedStep step = new CachedStep(model, seams, attention, text);
    String weight = step.weight(model.headWeight());
    List<String> names = end(step, projection.product(step.out(), "h", weight, head(model)));
    program = TorchPrograms.compile(text.toString());
    weights = new TensorList(Network.resolve(names, source));
  }

  private Decoder(DecoderModel model, Function<String, NDArray> source, Consumer<String> done) {
    this.model = model;
    this.narrow = false;
    PackedProjection projection = new PackedProjection();
    StringBuilder text = new StringBuilder();
    CachedAttention attention = new CachedAttention();
    CachedStep step = new CachedStep(model, new Seams(projection, attention), attention, text);
    String weight = step.weight(projection.group(List.of(head(model))));
    List<String> names = end(step, projection.product(step.out(), "h", weight));
    program = TorchPrograms.compile(text.toString());
    packed = Torch.scope("packed");
    try {
      weights =
          new TensorList(
              Network.resolve(names, name -> projection.pack(packed, name, source, done)));
    } catch (RuntimeException e) {
      packed.close();
      throw e;
    }
  }

  /**
   * With a copy of the weights of linear layers, laid out so that steps of few rows are quick: for
   * much generation with weights that stay as they are meanwhile.
   *
   * @param source from names, as the model uses them, to arrays, float32
   * @param done told which weights have been copied, of which the decoder needs an embedding alone
   * @see PackedProjection
   */
  public static Decoder packed(
      DecoderModel model, Function<String, NDArray> source, Consumer<String> done) {
    return new Decoder(model, source, done);
  }

  private static Linear head(DecoderModel model) {
    String weight = model.headWeight();
    String name = weight.substring(0, weight.length() - ".weight".length());
    return new Linear(name, model.config().hiddenSize(), model.config().vocabSize(), false);
  }

  private List<String> end(CachedStep step, String products) {
    MethodWriter out = step.out();
    String logits = out.value("torch.to(%s, 6)", products);
    if (model.logitSoftcap() > 0) {
      String cap = MethodWriter.number(model.logitSoftcap());
      logits = out.value("torch.mul(torch.tanh(torch.div(%s, %s)), %s)", logits, cap, cap);
    }
    return step.end("", logits);
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
   * <p>Prompts are rows of many tokens (in parts, if that suits the caller and the model allows
   * it); then each further token is one call with a token a row. Rows in slots that follow each
   * other read the cache in place; others cost a copy of what they read. So do rows of unequal
   * length, whose attention is computed as if all were as long as the longest.
   *
   * @param slots a distinct slot for each row
   * @param tokens the new tokens, at least one in each row
   * @param positions how many tokens of each row the cache holds already
   * @return [rows, V], in {@code scope}
   */
  public NDArray step(
      NDManager scope, KvCache cache, int[] slots, int[][] tokens, int[] positions) {
    CacheRows rows = CacheRows.of(cache, slots, tokens, positions);
    try (NDManager inputs = scope.newSubManager()) {
      List<Object> arguments = rows.arguments(inputs, cache);
      arguments.add(weights);
      return program.infer(scope, "decode", arguments.toArray()).get(0);
    }
  }

  @Override
  public void close() {
    weights.close();
    if (packed != null) {
      packed.close();
    }
  }
}
