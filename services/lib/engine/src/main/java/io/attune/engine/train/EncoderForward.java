package io.attune.engine.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.attune.engine.model.ClassifierPooling;
import io.attune.engine.model.EncoderModel;
import io.attune.engine.model.EncoderNetwork;
import io.attune.engine.model.EncoderTask;
import io.attune.engine.model.Pass;
import io.attune.engine.nn.Head;
import io.attune.engine.objective.Objective.Readout;
import io.attune.engine.objective.Sequence;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/** An encoder with a head: a text is classified by what stands for it, a token where it is. */
final class EncoderForward extends SingleKindForward<Sequence.Classified> {
  private final EncoderNetwork network;

  EncoderForward(EncoderNetwork network) {
    super(Sequence.Classified.class, Readout.LOGITS, "write text");
    this.network = network;
  }

  @Override
  public EncoderModel model() {
    return network.model();
  }

  @Override
  Result read(NDManager scope, List<Sequence.Classified> sequences) {
    List<int[]> places = new ArrayList<>();
    boolean tokens = model().task() == EncoderTask.TOKEN_CLS;
    for (Sequence.Classified classified : sequences) {
      boolean whole = classified.places().length == 0;
      if (whole == tokens) {
        throw Forward.unfit(model(), whole ? "classify texts as a whole" : "classify tokens");
      }
      places.add(whole ? new int[1] : classified.places());
    }
    EncoderNetwork.Batch batch =
        network.batch(scope, sequences.stream().map(Sequence.Classified::text).toList());
    NDArray hidden = network.hidden(scope, batch);
    if (!tokens && model().pooling() != ClassifierPooling.CLS) {
      int[] one = new int[sequences.size()];
      Arrays.fill(one, 1);
      NDArray pooled = network.text(scope, hidden, batch);
      return new Result(
          Pass.of(pooled), LongStream.range(0, one.length).toArray(), one, new long[0]);
    }
    int[] counts = places.stream().mapToInt(each -> each.length).toArray();
    long[] all = new long[Arrays.stream(counts).sum()];
    int next = 0;
    for (int row = 0; row < places.size(); row++) {
      for (int place : places.get(row)) {
        all[next++] = (long) batch.tokens().starts()[row] + place;
      }
    }
    return new Result(Pass.of(hidden), all, counts, new long[0]);
  }

  @Override
  public @Nullable String headWeight() {
    return null;
  }

  @Override
  public Head head() {
    throw Forward.unfit(model(), "predict tokens");
  }

  @Override
  public boolean classifies() {
    return network.hasHead() && model().task() != EncoderTask.FEATURE_EXTRACTION;
  }

  @Override
  public NDArray logits(NDManager scope, NDArray wanted) {
    return network.headOf(scope, wanted);
  }
}
