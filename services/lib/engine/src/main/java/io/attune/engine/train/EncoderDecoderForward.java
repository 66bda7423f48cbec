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
import java.util.ArrayList;
import java.util.List;

/**
 * An encoder-decoder: the decoder reads its start token and the target but its last token, and each
 * of its hidden states predicts the target's token at the same place.
 */
final class EncoderDecoderForward implements Forward {
  private final EncoderDecoderNetwork network;

  EncoderDecoderForward(EncoderDecoderNetwork network) {
    this.network = network;
  }

  @Override
  public EncoderDecoderModel model() {
    return network.model();
  }

  @Override
  public Result read(
      NDManager scope, List<Sequence> sequences, Readout readout, boolean checkpointed) {
    if (checkpointed) {
      throw Forward.unfit(model(), "compute its layers again on the way back");
    }
    List<int[]> sources = new ArrayList<>();
    List<int[]> inputs = new ArrayList<>();
    List<int[]> targets = new ArrayList<>();
    for (Sequence sequence : sequences) {
      if (!(sequence instanceof Sequence.Transduced pair) || readout != Readout.LOG_PROBS) {
        throw Forward.unfit(model(), "be asked for more than a target's tokens");
      }
      sources.add(pair.source());
      inputs.add(shifted(pair.target()));
      targets.add(pair.target());
    }
    TokenBatch read = TokenBatch.of(scope, sources);
    TokenBatch written = TokenBatch.of(scope, inputs);
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
