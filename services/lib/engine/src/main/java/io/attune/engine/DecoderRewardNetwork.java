package io.attune.engine;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.model.TokenBatch;
import io.attune.engine.nn.Head;
import io.attune.engine.nn.LanguageHead;
import io.attune.engine.objective.Sequence;
import io.attune.engine.tensor.Torch;
import io.attune.engine.train.Policy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A decoder with an adapter that brings the head {@code score}: it reads at the last token. */
final class DecoderRewardNetwork implements RewardNetwork {
  private final LoadedAdapter adapter;
  private final NDArray score;
  private final RewardRows rows;

  /** Refuses an adapter without a score head. */
  DecoderRewardNetwork(LanguageModel base, Path adapterFolder) {
    this.adapter = base.loadAdapter(adapterFolder);
    NDArray head = adapter.adapter().weight(Policy.SCORE);
    if (head == null) {
      adapter.close();
      throw new EngineException(
          Reason.INCOMPATIBLE,
          adapterFolder + " is no reward model: it has no trained module 'score'");
    }
    this.score = head;
    int room = base.config().maxPositions() - adapter.virtualTokens();
    this.rows = RewardRows.ofDecoder(base.examples(room));
  }

  @Override
  public RewardRows rows() {
    return rows;
  }

  @Override
  public int outputs() {
    return Math.toIntExact(score.getShape().get(0));
  }

  @Override
  public boolean readsTokens() {
    return true;
  }

  @Override
  public List<double[]> logits(List<Sequence> sequences) {
    return Torch.apart(
        () ->
            logitsHere(sequences.stream().map(text -> ((Sequence.Continued) text).ids()).toList()));
  }

  private List<double[]> logitsHere(List<int[]> sequences) {
    try (NDManager scope = Torch.scope("score");
        Torch.GradMode mode = Torch.gradMode(false)) {
      TokenBatch batch = adapter.network().sharingBatch(scope, sequences);
      long[] last = new long[sequences.size()];
      for (int i = 0; i < last.length; i++) {
        if (sequences.get(i).length == 0) {
          throw new EngineException(Reason.INVALID_ARGUMENT, "a text to score has no token");
        }
        last[i] = batch.token(i, sequences.get(i).length - 1);
      }
      NDArray hidden = adapter.network().hidden(scope, batch);
      NDArray rowsOfLast = LanguageHead.select(scope, hidden, scope.create(last));
      NDArray logits =
          LanguageHead.logits(scope, rowsOfLast, Head.of(score), 0, last.length); // [B, outputs]
      float[] values = logits.toFloatArray();
      List<double[]> result = new ArrayList<>();
      for (int i = 0; i < last.length; i++) {
        double[] own = new double[outputs()];
        for (int k = 0; k < own.length; k++) {
          own[k] = values[i * own.length + k];
        }
        result.add(own);
      }
      return result;
    }
  }

  @Override
  public void close() {
    adapter.close();
  }
}
