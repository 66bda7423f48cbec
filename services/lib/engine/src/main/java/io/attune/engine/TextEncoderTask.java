package io.attune.engine;

import io.attune.engine.checkpoint.AdapterFiles;
import io.attune.engine.checkpoint.HubLayout;
import io.attune.engine.checkpoint.TensorReader;
import io.attune.engine.data.ClassificationExamples;
import io.attune.engine.data.Row;
import io.attune.engine.model.ClassLabels;
import io.attune.engine.model.ClassifierPooling;
import io.attune.engine.model.EncoderModel;
import io.attune.engine.model.EncoderTask;
import io.attune.engine.model.FreshHead;
import io.attune.engine.model.HeadLayer;
import io.attune.engine.model.ProblemType;
import io.attune.engine.objective.Classification;
import io.attune.engine.objective.LabelLoss;
import io.attune.engine.objective.RewardLevels;
import io.attune.engine.token.EncoderTokenizer;
import io.attune.engine.train.TaskType;
import io.attune.engine.train.TrainingSettings;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Training of encoders to classify texts or tokens, or to score answers. An encoder without a head
 * gets a new one, for the labels that the rows have.
 */
final class TextEncoderTask implements TrainingTask {
  private static final String CLASSIFIER = "classifier";

  private final TrainingSpec spec;
  private final HubLayout layout;
  private final EncoderModel described;
  private final TrainingRows rows;
  private final boolean scores;
  private @Nullable EncoderTokenizer tokenizer;

  TextEncoderTask(TrainingSpec spec, HubLayout layout, EncoderModel described, TrainingRows rows) {
    this.spec = spec;
    this.layout = layout;
    this.described = described;
    this.rows = rows;
    this.scores = spec.objective().equals("reward");
    if (!scores && !spec.objective().equals("classify")) {
      throw TrainingTask.unfit(spec, described, "classify and reward");
    }
  }

  /** Told by the rows where the encoder has no head. */
  private EncoderTask task() {
    EncoderTask wanted =
        !scores && rows.get().get(0) instanceof Row.Tagged
            ? EncoderTask.TOKEN_CLS
            : EncoderTask.SEQ_CLS;
    EncoderTask task = fresh() ? wanted : described.task();
    if (task != wanted && scores) {
      throw new IllegalArgumentException(
          spec.model() + " has a head that labels tokens; a reward model needs one for texts");
    }
    if (task != wanted) {
      throw new IllegalArgumentException(
          spec.model()
              + (task == EncoderTask.SEQ_CLS
                  ? " classifies texts: it needs rows {text, label}, not {tokens, labels}"
                  : " classifies tokens: it needs rows {tokens, labels}, not {text, label}"));
    }
    return task;
  }

  private boolean fresh() {
    return described.task() == EncoderTask.FEATURE_EXTRACTION;
  }

  @Override
  public TaskType assumedType() {
    return fresh() ? TaskType.SEQ_CLS : TaskType.valueOf(described.task().name());
  }

  @Override
  public TaskType type() {
    return TaskType.valueOf(task().name());
  }

  /**
   * The classifier, and what else of the head is new. PEFT finds modules by how their names end, so
   * that DistilBERT's {@code pre_classifier} goes along.
   */
  @Override
  public List<String> modulesToSave() {
    Set<String> modules = new LinkedHashSet<>(List.of(CLASSIFIER));
    EncoderModel model = described.with(task(), described.labels());
    try (TensorReader file = layout.openWeights()) {
      List<HeadLayer> missing = FreshHead.missing(file, model);
      for (HeadLayer layer : model.head()) {
        String name = layer.linear().name();
        String own =
            name.startsWith(model.prefix()) ? name.substring(model.prefix().length()) : name;
        if (!own.startsWith(CLASSIFIER + ".")
            && (own.endsWith(CLASSIFIER) || missing.contains(layer))) {
          modules.add(own);
        }
      }
    }
    return List.copyOf(modules);
  }

  @Override
  public PretrainedModel load(TrainingSettings settings, LoadOptions options) {
    ClassLabels labels = labels(settings);
    return TextEncoder.forTraining(
        layout,
        described.with(task(), labels).with(pooling(settings)),
        options,
        settings.arguments().seed(),
        settings.initWeights());
  }

  private ClassifierPooling pooling(TrainingSettings settings) {
    if (settings.task().pooling() != null) {
      return settings.task().pooling();
    }
    return spec.initAdapter() == null
        ? described.pooling()
        : AdaptedHead.of(AdapterFiles.open(spec.initAdapter()), described).pooling();
  }

  /** What a reward model's head gives: the score, or what lies between two levels. */
  private ClassLabels scores(TrainingSettings settings) {
    RewardLevels levels = RewardRows.levels(rows, settings);
    ClassLabels wanted =
        levels == null
            ? new ClassLabels(ClassLabels.unnamed(1).names(), ProblemType.REGRESSION)
            : new ClassLabels(
                ClassLabels.unnamed(levels.logits()).names(),
                ProblemType.MULTI_LABEL_CLASSIFICATION);
    if (!fresh() && described.labels().count() != wanted.count()) {
      throw new IllegalArgumentException(
          spec.model()
              + " has a head for "
              + described.labels().count()
              + " labels; these rows need one for "
              + wanted.count()
              + ", which an encoder without a head gets");
    }
    return wanted;
  }

  /** Those of the model, or of the adapter that is trained on; else those of the rows. */
  private ClassLabels labels(TrainingSettings settings) {
    if (scores) {
      return scores(settings);
    }
    if (!fresh()) {
      ClassLabels own = described.labels();
      boolean said = settings.task().problemType() != null;
      return said ? new ClassLabels(own.names(), settings.task().problemType()) : own;
    }
    if (spec.initAdapter() != null) {
      return AdaptedHead.of(AdapterFiles.open(spec.initAdapter()), described).labels();
    }
    return LabelScheme.of(rows.get(), settings.task().problemType(), spec.data().toString());
  }

  @Override
  public Lesson<?, ?> lesson(PretrainedModel model, TrainingSettings settings) {
    TextEncoder encoder = (TextEncoder) model;
    if (scores) {
      EncoderTokenizer texts = texts(encoder, settings);
      return RewardRows.ofEncoder(texts::encode).lesson(rows, settings);
    }
    LabelScheme scheme = new LabelScheme(encoder.labels());
    int longest = Math.min(settings.maxLength(), encoder.maxTokens());
    boolean segmented = described.segments() > 1;
    Classification objective = new Classification(loss(scheme, settings));
    if (task() == EncoderTask.TOKEN_CLS) {
      EncoderTokenizer words = EncoderTokenizer.openForWords(layout, longest, segmented);
      tokenizer = words;
      ClassificationExamples examples =
          new ClassificationExamples(row -> words.encode(row.text()), scheme::target);
      return Lesson.of(objective, row -> examples.tokens(row, words));
    }
    EncoderTokenizer texts = texts(encoder, settings);
    ClassificationExamples examples =
        new ClassificationExamples(
            row ->
                row.textPair() == null
                    ? texts.encode(row.text())
                    : texts.encode(row.text(), row.textPair()),
            scheme::target);
    return Lesson.of(objective, examples::text);
  }

  private EncoderTokenizer texts(TextEncoder encoder, TrainingSettings settings) {
    int longest = Math.min(settings.maxLength(), encoder.maxTokens());
    tokenizer = EncoderTokenizer.open(layout, longest, described.segments() > 1);
    return tokenizer;
  }

  /** What a label's logits cost. */
  static LabelLoss loss(LabelScheme scheme, TrainingSettings settings) {
    double smoothing = settings.task().labelSmoothing();
    return switch (scheme.labels().problemType()) {
      case SINGLE_LABEL_CLASSIFICATION -> new LabelLoss.CrossEntropy(smoothing);
      case MULTI_LABEL_CLASSIFICATION -> new LabelLoss.BinaryCrossEntropy();
      case REGRESSION -> new LabelLoss.SquaredError();
    };
  }

  @Override
  public void close() {
    if (tokenizer != null) {
      tokenizer.close();
    }
  }
}
