package io.attune.engine.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.attune.engine.checkpoint.TensorType;
import io.attune.engine.model.DecoderModel;
import io.attune.engine.model.DecoderNetwork;
import io.attune.engine.model.Pass;
import io.attune.engine.model.TokenBatch;
import io.attune.engine.nn.Head;
import io.attune.engine.nn.Seams;
import io.attune.engine.objective.Objective.Readout;
import io.attune.engine.objective.Sequence;
import io.attune.engine.tensor.Program;
import io.attune.engine.tensor.TorchPrograms;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A decoder-only model: a token is predicted by the hidden state before it, a text is scored or
 * classified at its last token by a linear head that an adapter brings.
 */
final class DecoderForward implements Forward {
  private static final Program PROGRAM =
      TorchPrograms.compile(
          """
          def score(self: SELF, h: Tensor, w: List[Tensor]) -> Tensor:
            return torch.linear(torch.type_as(h, w[0]), w[0])
          """);

  private final DecoderNetwork network;

  /** Weight of the head for whole texts, [labels, E]; null where there is none. */
  private final @Nullable NDArray score;

  DecoderForward(
      DecoderModel model,
      UnaryOperator<Seams> adapter,
      int[] virtualTokens,
      Function<String, NDArray> weights,
      TensorType type) {
    this(
        DecoderNetwork.forTraining(model, adapter, virtualTokens, weights, type),
        weights.apply(Policy.SCORE));
  }

  DecoderForward(DecoderNetwork network, @Nullable NDArray score) {
    this.network = network;
    this.score = score;
  }

  @Override
  public DecoderModel model() {
    return network.model();
  }

  @Override
  public Result read(
      NDManager scope, List<Sequence> sequences, Readout readout, boolean checkpointed) {
    if (readout == Readout.LOGITS) {
      return logits(scope, sequences, checkpointed);
    }
    List<Sequence.Continued> texts = new ArrayList<>();
    sequences.forEach(sequence -> texts.add(text(sequence)));
    TokenBatch batch =
        network.sharingBatch(scope, texts.stream().map(Sequence.Continued::ids).toList());
    Pass pass = network.record(scope, batch, checkpointed);
    int[] counts = texts.stream().mapToInt(Sequence.Continued::targetCount).toArray();
    long[] places = new long[Arrays.stream(counts).sum()];
    long[] labels = new long[places.length];
    int next = 0;
    for (int row = 0; row < texts.size(); row++) {
      int[] ids = texts.get(row).ids();
      for (int t = 1; t < ids.length; t++) {
        if (texts.get(row).targets()[t]) {
          places[next] = batch.token(row, t - 1); // the token before predicts it
          labels[next++] = ids[t];
        }
      }
    }
    return new Result(pass, places, counts, labels);
  }

  /** What the head says of each text at its last token, or of the tokens that are asked for. */
  private Result logits(NDManager scope, List<Sequence> sequences, boolean checkpointed) {
    List<int[]> texts = new ArrayList<>();
    int[] counts = new int[sequences.size()];
    for (int row = 0; row < counts.length; row++) {
      texts.add(ids(sequences.get(row)));
      counts[row] = Math.max(1, places(sequences.get(row)).length);
    }
    TokenBatch batch = network.sharingBatch(scope, texts);
    Pass pass = network.record(scope, batch, checkpointed);
    long[] wanted = new long[Arrays.stream(counts).sum()];
    int next = 0;
    for (int row = 0; row < counts.length; row++) {
      int[] places = places(sequences.get(row));
      if (places.length == 0) {
        wanted[next++] = batch.token(row, texts.get(row).length - 1);
      }
      for (int place : places) {
        wanted[next++] = batch.token(row, place);
      }
    }
    return new Result(pass, wanted, counts, new long[0]);
  }

  private Sequence.Continued text(Sequence sequence) {
    if (sequence instanceof Sequence.Continued text) {
      return text;
    }
    throw unfit();
  }

  private int[] ids(Sequence sequence) {
    return sequence instanceof Sequence.Classified classified
        ? classified.text().ids()
        : text(sequence).ids();
  }

  private static int[] places(Sequence sequence) {
    return sequence instanceof Sequence.Classified classified ? classified.places() : new int[0];
  }

  private IllegalArgumentException unfit() {
    return Forward.unfit(model(), "read a source for a target, nor tokens' classes as text");
  }

  @Override
  public String headWeight() {
    return model().headWeight();
  }

  @Override
  public Head head() {
    return network.head();
  }

  @Override
  public boolean classifies() {
    return score != null;
  }

  @Override
  public NDArray logits(NDManager scope, NDArray wanted) {
    return PROGRAM.run(scope, "score", new NDList(wanted), List.of(score)).get(0);
  }
}
