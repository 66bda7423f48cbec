package io.attune.engine;

import io.attune.engine.EngineException.Reason;
import io.attune.engine.checkpoint.HubLayout;
import io.attune.engine.data.SourceAndTargetExamples;
import io.attune.engine.model.EncoderDecoderModel;
import io.attune.engine.objective.SequenceTransduction;
import io.attune.engine.objective.Sft;
import io.attune.engine.token.EncoderTokenizer;
import io.attune.engine.train.TaskType;
import io.attune.engine.train.TrainingSettings;
import java.util.ArrayList;
import java.util.List;

/** Training of encoder-decoders: translation, summaries and the like. */
final class SequenceToSequenceTask implements TrainingTask {
  private final TrainingSpec spec;
  private final HubLayout layout;
  private final EncoderDecoderModel described;
  private final List<EncoderTokenizer> tokenizers = new ArrayList<>();

  SequenceToSequenceTask(TrainingSpec spec, HubLayout layout, EncoderDecoderModel described) {
    this.spec = spec;
    this.layout = layout;
    this.described = described;
    if (!spec.objective().equals("sft")) {
      throw TrainingTask.unfit(spec, described, "sft");
    }
  }

  @Override
  public TaskType type() {
    return TaskType.SEQ_2_SEQ_LM;
  }

  @Override
  public List<String> modulesToSave() {
    return List.of();
  }

  @Override
  public PretrainedModel load(TrainingSettings settings, LoadOptions options) {
    SequenceToSequence model =
        SequenceToSequence.forTraining(
            layout,
            described,
            options,
            settings.initWeights() ? settings.arguments().seed() : null);
    String head = described.headWeight();
    String table = described.encoder().embedding().weight();
    String stored = model.weights().storedName(head);
    boolean shared = !head.equals(table) && stored.equals(model.weights().storedName(table));
    if (settings.adapter() == null && shared) {
      model.close();
      throw new EngineException(
          Reason.UNSUPPORTED,
          layout.folder()
              + " has no '"
              + head
              + "' of its own: '"
              + stored
              + "' stands for it, and training would part the two; use lora");
    }
    return model;
  }

  @Override
  public Lesson<?, ?> lesson(PretrainedModel model, TrainingSettings settings) {
    EncoderTokenizer sources = tokenizer(settings.task().maxSourceLength());
    EncoderTokenizer targets = tokenizer(settings.task().maxTargetLength());
    SourceAndTargetExamples examples =
        new SourceAndTargetExamples(sources, targets, model.eosTokenIds());
    return Lesson.of(
        new SequenceTransduction(new Sft.Config(settings.task().labelSmoothing())), examples::pair);
  }

  private EncoderTokenizer tokenizer(int maxTokens) {
    int longest = Math.min(maxTokens, described.config().maxPositions());
    tokenizers.add(EncoderTokenizer.open(layout, longest, false));
    return tokenizers.get(tokenizers.size() - 1);
  }

  @Override
  public void close() {
    tokenizers.forEach(EncoderTokenizer::close);
  }
}
