package io.attune.engine.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.attune.engine.model.EncoderDecoderModel;
import io.attune.engine.model.EncoderDecoderNetwork;
import io.attune.engine.model.Pass;
import io.attune.engine.model.TokenBatch;
import io.attune.engine.nn.Head;
import io.attune.engine.objective.Objective.Readout;
import io.attune.engine.objective.Sequence;
import java.util.List;

/**
 * An encoder-decoder: the decoder reads its start token and the target but its last token, and each
 * of its hidden states predicts the target's token at the same place.
 */
final class EncoderDecoderForward extends SingleKindForward<Sequence.Transduced> {
  private final EncoderDecoderNetwork network;

  EncoderDecoderForward(EncoderDecoderNetwork network) {
    super(Sequence.Transduced.class, Readout.LOG_PROBS, "be asked for more than a target's tokens");
    this.network = network;
  }

  @Override
  public EncoderDecoderModel model() {
    return network.model();
  }

  @Override
  Result read(NDManager scope, List<Sequence.Transduced> pairs) {
    List<int[]> targets = pairs.stream().map(Sequence.Transduced::target).toList();
    TokenBatch read =
        TokenBatch.of(scope, pairs.stream().map(Sequence.Transduced::source).toList());
    TokenBatch written = TokenBatch.of(scope, targets.stream().map(this::shifted).toList());
    NDArray hidden;
    try (NDArray memory = network.memory(scope, read)) { // autograd keeps what it needs
      hidden = network.hidden(scope, written, memory, read);
    }
    long[] places = new long[written.tokens()];
    long[] labels = new long[places.length];
    for (int row = 0; row < targets.size(); row++) {
      int start = written.starts()[row];
      for (int t = 0; t < targets.get(row).length; t++) {
        places[start + t] = (long) start + t;
        labels[start + t] = targets.get(row)[t];
      }
    }
    int[] counts = targets.stream().mapToInt(target -> target.length).toArray();
    return new Result(Pass.of(hidden), places, counts, labels);
  }

  /** What the decoder reads: each token's predecessor. */
  private int[] shifted(int[] target) {
    int[] inputs = new int[target.length];
    inputs[0] = model().decoderStartTokenId();
    System.arraycopy(target, 0, inputs, 1, target.length - 1);
    return inputs;
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
    return false;
  }

  @Override
  public NDArray logits(NDManager scope, NDArray wanted) {
    throw Forward.unfit(model(), "classify");
  }
}
