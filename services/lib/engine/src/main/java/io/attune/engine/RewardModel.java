package io.attune.engine;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.model.TokenBatch;
import io.attune.engine.nn.Head;
import io.attune.engine.nn.LanguageHead;
import io.attune.engine.tensor.Torch;
import io.attune.engine.train.Policy;
import java.nio.file.Path;
import java.util.List;

/**
 * A base model with a trained adapter whose {@code score} head says how good people would find an
 * answer. Immutable and thread-safe.
 */
public final class RewardModel implements AutoCloseable {
  private final LoadedAdapter adapter;

  private RewardModel(LoadedAdapter adapter) {
    this.adapter = adapter;
  }

  /** Refuses an adapter without a score head. */
  public static RewardModel load(LanguageModel base, Path adapterFolder) {
    LoadedAdapter adapter = base.loadAdapter(adapterFolder);
    if (adapter.adapter().weight(Policy.SCORE) == null) {
      adapter.close();
      throw new EngineException(
          Reason.INCOMPATIBLE,
          adapterFolder + " is no reward model: it has no trained module 'score'");
    }
    return new RewardModel(adapter);
  }

  /**
   * Scores texts, each read at its last token.
   *
   * @param sequences ids of prompt and answer, end-of-sequence token included; one batch
   */
  public float[] score(List<int[]> sequences) {
    return Torch.apart(() -> scoreHere(sequences));
  }

  private float[] scoreHere(List<int[]> sequences) {
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
      NDArray rows = LanguageHead.select(scope, hidden, scope.create(last));
      Head head = Head.of(adapter.adapter().weight(Policy.SCORE));
      return LanguageHead.logits(scope, rows, head, 0, last.length).toFloatArray();
    }
  }

  @Override
  public void close() {
    adapter.close();
  }
}
