package io.attune.engine;

import io.attune.engine.EngineException.Reason;
import io.attune.engine.model.ClassLabels;
import io.attune.engine.model.EncoderTask;
import io.attune.engine.model.ProblemType;
import io.attune.engine.objective.Sequence;
import io.attune.engine.tensor.Torch;
import io.attune.engine.token.TokenizedText;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** An encoder with a head for texts, its own or an adapter's. */
final class EncoderRewardNetwork implements RewardNetwork {
  private final TextEncoder encoder;
  private final @Nullable LoadedEncoderAdapter adapter;
  private final ClassLabels labels;

  /** Refuses a model without a head for texts, and one that tells classes apart. */
  EncoderRewardNetwork(TextEncoder encoder, @Nullable Path adapterFolder) {
    this.encoder = encoder;
    this.adapter = adapterFolder == null ? null : encoder.loadAdapter(adapterFolder);
    EncoderTask task = adapter == null ? encoder.task() : adapter.task();
    this.labels = adapter == null ? encoder.labels() : adapter.labels();
    if (task != EncoderTask.SEQ_CLS
        || labels.problemType() == ProblemType.SINGLE_LABEL_CLASSIFICATION) {
      close();
      throw new EngineException(
          Reason.INCOMPATIBLE,
          (adapterFolder == null ? encoder.folder() : adapterFolder)
              + " is no reward model: it has no head that scores texts ("
              + (task == EncoderTask.SEQ_CLS ? labels.problemType() : task)
              + ")");
    }
  }

  @Override
  public RewardRows rows() {
    return RewardRows.ofEncoder(encoder::tokenize);
  }

  @Override
  public int outputs() {
    return labels.count();
  }

  @Override
  public boolean readsTokens() {
    return false;
  }

  @Override
  public List<double[]> logits(List<Sequence> sequences) {
    List<TokenizedText> texts =
        sequences.stream().map(text -> ((Sequence.Classified) text).text()).toList();
    List<double[]> result = new ArrayList<>();
    for (float[] logits : Torch.apart(() -> encoder.logits(texts, adapter, false))) {
      result.add(IntStream.range(0, logits.length).mapToDouble(k -> logits[k]).toArray());
    }
    return result;
  }

  @Override
  public void close() {
    if (adapter != null) {
      adapter.close();
    }
  }
}
