package io.attune.engine;

import io.attune.engine.checkpoint.AdapterFiles;
import io.attune.engine.checkpoint.HubLayout;
import io.attune.engine.checkpoint.TensorReader;
import io.attune.engine.data.ClassificationExamples;
import io.attune.engine.data.Row;
import io.attune.engine.model.ClassLabels;
import io.attune.engine.model.EncoderModel;
import io.attune.engine.model.EncoderTask;
import io.attune.engine.model.FreshHead;
import io.attune.engine.model.HeadLayer;
import io.attune.engine.objective.Classification;
import io.attune.engine.objective.LabelLoss;
import io.attune.engine.token.EncoderTokenizer;
import io.attune.engine.train.TaskType;
import io.attune.engine.train.TrainingSettings;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Training of encoders to classify texts or tokens. An encoder without a head gets a new one, for
 * the labels that the rows have.
 */
final class TextEncoderTask implements TrainingTask {
  private static final String CLASSIFIER = "classifier";

  private final TrainingSpec spec;
  private final HubLayout layout;
  private final EncoderModel described;
  private final TrainingRows rows;
  private final EncoderTask task;
  private @Nullable EncoderTokenizer tokenizer;

  TextEncoderTask(TrainingSpec spec, HubLayout layout, EncoderModel described, TrainingRows rows) {
    this.spec = spec;
    this.layout = layout;
    this.described = described;
    this.rows = rows;
    if (!spec.objective().equals("classify")) {
      throw TrainingTask.unfit(spec, described, "classify");
    }
    EncoderTask wanted =
        rows.get().get(0) instanceof Row.Tagged ? EncoderTask.TOKEN_CLS : EncoderTask.SEQ_CLS;
    this.task = described.task() == EncoderTask.FEATURE_EXTRACTION ? wanted : described.task();
    if (task != wanted) {
      throw new IllegalArgumentException(
          spec.model()
              + (task == EncoderTask.SEQ_CLS
                  ? " classifies texts: it needs rows {text, label}, not {tokens, labels}"
                  : " classifies tokens: it needs rows {tokens, labels}, not {text, label}"));
    }
  }

  @Override
  public TaskType type() {
    return TaskType.valueOf(task.name());
  }

  /**
   * The classifier, and what else of the head is new. PEFT finds modules by how their names end, so
   * that DistilBERT's {@code pre_classifier} goes along.
   */
  @Override
  public List<String> modulesToSave() {
    Set<String> modules = new LinkedHashSet<>(List.of(CLASSIFIER));
    EncoderModel model = described.with(task, described.labels());
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
        described.with(task, labels),
        options,
        settings.arguments().seed(),
        settings.initWeights());
  }

  /** Those of the model, or of the adapter that is trained on; else those of the rows. */
  private ClassLabels labels(TrainingSettings settings) {
    if (described.task() != EncoderTask.FEATURE_EXTRACTION) {
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
    LabelScheme scheme = new LabelScheme(encoder.labels());
    int longest = Math.min(settings.maxLength(), encoder.maxTokens());
    boolean segmented = described.segments() > 1;
    Classification objective = new Classification(loss(scheme, settings));
    if (task == EncoderTask.TOKEN_CLS) {
      EncoderTokenizer words = EncoderTokenizer.openForWords(layout, longest, segmented);
      tokenizer = words;
      ClassificationExamples examples =
          new ClassificationExamples(row -> words.encode(row.text()), scheme::target);
      return Lesson.of(objective, row -> examples.tokens(row, words));
    }
    EncoderTokenizer texts = EncoderTokenizer.open(layout, longest, segmented);
    tokenizer = texts;
    ClassificationExamples examples =
        new ClassificationExamples(
            row ->
                row.textPair() == null
                    ? texts.encode(row.text())
                    : texts.encode(row.text(), row.textPair()),
            scheme::target);
    return Lesson.of(objective, examples::text);
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
