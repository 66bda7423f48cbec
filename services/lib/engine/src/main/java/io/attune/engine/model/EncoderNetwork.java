package io.attune.engine.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.attune.engine.nn.Activation;
import io.attune.engine.nn.DenseProjection;
import io.attune.engine.nn.MethodWriter;
import io.attune.engine.nn.PaddedAttention;
import io.attune.engine.nn.Seams;
import io.attune.engine.tensor.Program;
import io.attune.engine.tensor.TorchPrograms;
import io.attune.engine.token.TokenizedText;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/** An encoder joined with weights, perhaps with an adapter between. Immutable and thread-safe. */
public final class EncoderNetwork {
  /** The hidden state of each text's first token; or, with shares [B, 1, T], a mean. */
  private static final String READ =
      """
        def first(self: SELF, h: Tensor, pad: Tensor) -> Tensor:
          return torch.index_select(h, 0, torch.select(pad, 1, 0))

        def mean(self: SELF, h: Tensor, pad: Tensor, shares: Tensor) -> Tensor:
          x = torch.index_select(h, 0, torch.reshape(pad, [-1]))
          x = torch.view(x, [torch.size(pad, 0), torch.size(pad, 1), -1])
          return torch.squeeze(torch.bmm(shares, x), 1)

      """;

  private final EncoderModel model;
  private final Network network;
  private final Program head;
  private final List<NDArray> headWeights;

  /**
   * A batch of texts.
   *
   * @param segments [N]
   * @param lengths of the texts
   */
  @SuppressWarnings("ArrayRecordComponent") // read-only by convention
  public record Batch(TokenBatch tokens, NDArray segments, int[] lengths) {}

  /** The model alone. */
  public EncoderNetwork(EncoderModel model, Function<String, NDArray> weights) {
    this(model, UnaryOperator.identity(), weights);
  }

  /**
   * @param adapter what changes how parts are computed
   * @param weights from names, as the model and the adapter use them, to arrays
   */
  public EncoderNetwork(
      EncoderModel model, UnaryOperator<Seams> adapter, Function<String, NDArray> weights) {
    this(model, adapter, weights, false);
  }

  /**
   * @param dropout whether the model's own dropout applies
   */
  public EncoderNetwork(
      EncoderModel model,
      UnaryOperator<Seams> adapter,
      Function<String, NDArray> weights,
      boolean dropout) {
    this.model = model;
    PaddedAttention attention = new PaddedAttention(dropout ? model.attentionDropout() : 0);
    Seams seams = adapter.apply(new Seams(new DenseProjection(), attention, null, dropout));
    this.network = new Network(model, seams, weights);
    MethodWriter out = new MethodWriter();
    emitHead(out, seams);
    this.head =
        TorchPrograms.compile(
            READ + out.method("head", "(self: SELF, h: Tensor, w: List[Tensor]) -> Tensor"));
    boolean whole = out.weights().stream().noneMatch(name -> weights.apply(name) == null);
    this.headWeights = whole ? Network.resolve(out.weights(), weights) : List.of();
  }

  private void emitHead(MethodWriter out, Seams seams) {
    String x = "h";
    for (HeadLayer layer : model.head()) {
      x = seams.drop(out, x, layer.dropout());
      x = seams.projection().emit(out, x, List.of(layer.linear())).get(0);
      if (layer.activation() != null) {
        x = Activation.emit(out, layer.activation(), x);
      }
    }
    out.line("return %s", x);
  }

  public EncoderModel model() {
    return model;
  }

  /** Lays texts end to end. */
  public Batch batch(NDManager scope, List<TokenizedText> texts) {
    TokenBatch tokens = TokenBatch.of(scope, texts.stream().map(TokenizedText::ids).toList());
    long[] positions = new long[tokens.tokens()];
    long[] segments = new long[tokens.tokens()];
    for (int row = 0; row < texts.size(); row++) {
      int[] places = model.positions(texts.get(row).ids());
      int[] parts = texts.get(row).segments();
      for (int i = 0; i < places.length; i++) {
        positions[tokens.starts()[row] + i] = places[i];
        segments[tokens.starts()[row] + i] = parts[i];
      }
    }
    return new Batch(
        tokens.withPositions(scope.create(positions)),
        scope.create(segments),
        texts.stream().mapToInt(TokenizedText::length).toArray());
  }

  /** Hidden states after the last layer, [N, E]; recorded where the thread's grad mode is on. */
  public NDArray hidden(NDManager scope, Batch batch) {
    return network.hidden(
        scope,
        batch.tokens(),
        model.inputs().isEmpty() ? new NDList() : new NDList(batch.segments()));
  }

  /**
   * Whether there is a head to apply: not for a family without a pooler, nor for a checkpoint that
   * lacks it.
   */
  public boolean hasHead() {
    return !headWeights.isEmpty();
  }

  /**
   * The head's result: [N, labels] for {@link EncoderTask#TOKEN_CLS}, [B, labels] for {@link
   * EncoderTask#SEQ_CLS}, [B, E] of a pooler; recorded where the thread's grad mode is on.
   *
   * @param hidden what {@link #hidden} gave for {@code batch}
   */
  public NDArray head(NDManager scope, NDArray hidden, Batch batch) {
    return headOf(
        scope, model.task() == EncoderTask.TOKEN_CLS ? hidden : text(scope, hidden, batch));
  }

  /**
   * What stands for each text as a whole, [B, E]: see {@link ClassifierPooling}; recorded where the
   * thread's grad mode is on.
   *
   * @param hidden what {@link #hidden} gave for {@code batch}
   */
  public NDArray text(NDManager scope, NDArray hidden, Batch batch) {
    NDArray pad = batch.tokens().pad();
    if (model.task() != EncoderTask.SEQ_CLS || model.pooling() == ClassifierPooling.CLS) {
      return head.run(scope, "first", new NDList(hidden, pad), List.of()).get(0);
    }
    int width = Math.toIntExact(pad.getShape().get(1));
    float[] shares = new float[batch.lengths().length * width];
    for (int i = 0; i < batch.lengths().length; i++) {
      int length = batch.lengths()[i];
      Arrays.fill(shares, i * width, i * width + length, 1f / length);
    }
    NDArray weights = scope.create(shares, new Shape(batch.lengths().length, 1, width));
    return head.run(scope, "mean", new NDList(hidden, pad, weights), List.of()).get(0);
  }

  /** The head's result for the hidden states of some tokens, [M, E]. */
  public NDArray headOf(NDManager scope, NDArray rows) {
    return head.run(scope, "head", new NDList(rows), headWeights).get(0);
  }
}
