package io.attune.engine;

import io.attune.engine.checkpoint.HubLayout;
import io.attune.engine.data.ClassificationExamples;
import io.attune.engine.data.Examples;
import io.attune.engine.data.JudgedCompletion;
import io.attune.engine.data.KtoExample;
import io.attune.engine.data.Row;
import io.attune.engine.model.ClassLabels;
import io.attune.engine.model.DecoderModel;
import io.attune.engine.objective.Classification;
import io.attune.engine.objective.Dpo;
import io.attune.engine.objective.Kto;
import io.attune.engine.objective.Orpo;
import io.attune.engine.objective.RewardLevels;
import io.attune.engine.objective.Sft;
import io.attune.engine.objective.SimPo;
import io.attune.engine.online.OnlineObjective;
import io.attune.engine.token.TokenizedText;
import io.attune.engine.train.Method;
import io.attune.engine.train.ObjectiveSettings;
import io.attune.engine.train.TaskType;
import io.attune.engine.train.TrainingSettings;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Training of decoder-only models: to write, to score answers, or to classify texts. */
final class LanguageModelTask implements TrainingTask {
  private final TrainingSpec spec;
  private final HubLayout layout;
  private final DecoderModel described;
  private final TrainingRows rows;

  LanguageModelTask(
      TrainingSpec spec, HubLayout layout, DecoderModel described, TrainingRows rows) {
    this.spec = spec;
    this.layout = layout;
    this.described = described;
    this.rows = rows;
    if (type() == TaskType.SEQ_CLS && !Method.named(spec.method()).isAdapter()) {
      throw new IllegalArgumentException(
          "method "
              + spec.method()
              + " trains no "
              + (spec.objective().equals("reward") ? "reward model" : "classifier")
              + " on a decoder-only model, which has no head for one; use lora");
    }
  }

  @Override
  public TaskType type() {
    return switch (spec.objective()) {
      case "reward", "classify" -> TaskType.SEQ_CLS;
      default -> TaskType.CAUSAL_LM;
    };
  }

  @Override
  public List<String> modulesToSave() {
    return type() == TaskType.SEQ_CLS ? List.of("score") : List.of();
  }

  @Override
  public PretrainedModel load(TrainingSettings settings, LoadOptions options) {
    if (settings.task().pooling() != null) {
      throw new IllegalArgumentException(
          "'classifier_pooling' is a setting of encoders; a decoder-only model is read at a text's"
              + " last token");
    }
    return LanguageModel.forTraining(
        layout,
        described,
        options,
        settings.initWeights() ? settings.arguments().seed() : null,
        outputs(settings));
  }

  /** What the head for whole texts gives of each; 1 where there is none. */
  private int outputs(TrainingSettings settings) {
    if (spec.objective().equals("reward")) {
      RewardLevels levels = RewardRows.levels(rows, settings);
      return levels == null ? 1 : levels.logits();
    }
    ClassLabels labels = labels(settings);
    return labels == null ? 1 : labels.count();
  }

  /** Null where texts are not classified. */
  private @Nullable ClassLabels labels(TrainingSettings settings) {
    return spec.objective().equals("classify")
        ? LabelScheme.of(rows.get(), settings.task().problemType(), spec.data().toString())
        : null;
  }

  @Override
  public Lesson<?, ?> lesson(PretrainedModel model, TrainingSettings settings) {
    Examples examples = examples(model, settings);
    return switch (spec.objective()) {
      case "sft" -> Lesson.of(sft(settings), examples::sft);
      case "dpo" -> Lesson.of(new Dpo(settings.objective().dpo()), examples::preference);
      case "orpo" -> Lesson.of(new Orpo(settings.objective().orpo()), examples::preference);
      case "simpo" -> Lesson.of(new SimPo(settings.objective().simPo()), examples::preference);
      case "kto" -> kto(settings, examples);
      case "reward" -> RewardRows.ofDecoder(examples).lesson(rows, settings);
      case "classify" -> {
        LabelScheme scheme = new LabelScheme(labels(settings));
        ClassificationExamples texts =
            new ClassificationExamples(row -> read(model, row, settings), scheme::target);
        yield Lesson.of(new Classification(TextEncoderTask.loss(scheme, settings)), texts::text);
      }
      default ->
          throw TrainingTask.unfit(
              spec,
              described,
              "sft, cpt, "
                  + String.join(", ", ObjectiveSettings.PREFERENCES)
                  + ", classify, "
                  + OnlineObjective.all());
    };
  }

  private static Lesson<JudgedCompletion, KtoExample> kto(
      TrainingSettings settings, Examples examples) {
    Kto.Config config = settings.objective().kto();
    int batch = settings.arguments().perDeviceTrainBatchSize();
    return new Lesson<>(
        new Kto(config),
        examples::judged,
        rows ->
            config.usesMismatched()
                ? KtoExample.mismatched(rows, batch, settings.maxLength())
                : KtoExample.alone(rows));
  }

  @Override
  public TextLesson textLesson(PretrainedModel model, TrainingSettings settings) {
    return new TextLesson(sft(settings), examples(model, settings)::text);
  }

  private static Examples examples(PretrainedModel model, TrainingSettings settings) {
    return ((LanguageModel) model).examples(settings.maxLength(), settings.data().options());
  }

  private static Sft sft(TrainingSettings settings) {
    return new Sft(new Sft.Config(settings.task().labelSmoothing()));
  }

  private static TokenizedText read(
      PretrainedModel model, Row.Classified row, TrainingSettings settings) {
    if (row.textPair() != null) {
      throw new IllegalArgumentException(
          "{text, text_pair, label} rows need an encoder; write both texts as one");
    }
    int[] ids = model.tokenizer().encode(row.text(), true);
    return TokenizedText.of(Arrays.copyOf(ids, Math.min(ids.length, settings.maxLength())));
  }

  @Override
  public void close() {
    // Rows are read with the model's own tokenizer.
  }
}
