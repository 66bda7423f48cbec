package io.attune.engine;

import io.attune.engine.checkpoint.HubLayout;
import io.attune.engine.data.Row;
import io.attune.engine.data.SftExample;
import io.attune.engine.model.Architecture;
import io.attune.engine.model.DecoderModel;
import io.attune.engine.model.EncoderDecoderModel;
import io.attune.engine.model.EncoderModel;
import io.attune.engine.objective.Objective;
import io.attune.engine.train.TaskType;
import io.attune.engine.train.TrainingSettings;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * What a kind of model brings to a training run: how it is loaded, which objectives it can learn,
 * and how it reads rows. What it computes is {@code train.Forward}'s.
 */
interface TrainingTask extends AutoCloseable {

  /**
   * What is learnt, and what of each row.
   *
   * @param parts from a row to what it gives, empty where nothing to learn is left of it
   * @param examples from what all rows of a file give to examples, one of each, in their order
   */
  record Lesson<P, E>(
      Objective<E> objective, Function<Row, List<P>> parts, Function<List<P>, List<E>> examples) {

    /** Of rows that give an example each. */
    static <E> Lesson<E, E> of(Objective<E> objective, Function<Row, Optional<E>> example) {
      return new Lesson<>(
          objective, row -> example.apply(row).stream().toList(), Function.identity());
    }
  }

  /**
   * What is learnt of documents, which are laid in blocks rather than read row by row.
   *
   * @param tokens of a row, however long
   */
  record TextLesson(Objective<SftExample> objective, Function<Row, int[]> tokens) {}

  TaskType type();

  /**
   * What {@link #type} is before rows are read, or a type that knows the same settings: so that a
   * wrong setting is named before a large file is read.
   */
  default TaskType assumedType() {
    return type();
  }

  /** Modules that an adapter has to bring whole, because the base model lacks them. */
  List<String> modulesToSave();

  /** The model as it is before the first step. */
  PretrainedModel load(TrainingSettings settings, LoadOptions options);

  /**
   * @param model what {@link #load} gave
   */
  Lesson<?, ?> lesson(PretrainedModel model, TrainingSettings settings);

  /** As {@link #lesson}, for continued pre-training. */
  default TextLesson textLesson(PretrainedModel model, TrainingSettings settings) {
    throw new IllegalStateException(type() + " learns no documents"); // refused by its objective
  }

  /** Frees what lessons read rows with. */
  @Override
  void close();

  /**
   * The task of a specification; refuses an objective that the kind of model in the folder cannot
   * learn.
   *
   * @param rows not read for continued pre-training, which does not hold them in memory
   */
  static TrainingTask of(TrainingSpec spec, Architecture described, TrainingRows rows) {
    HubLayout layout = HubLayout.of(spec.model());
    if (described instanceof DecoderModel decoder) {
      return new LanguageModelTask(spec, layout, decoder, rows);
    }
    if (described instanceof EncoderModel encoder) {
      return new TextEncoderTask(spec, layout, encoder, rows);
    }
    if (described instanceof EncoderDecoderModel both) {
      return new SequenceToSequenceTask(spec, layout, both);
    }
    throw new IllegalStateException(described.kind() + " cannot be trained");
  }

  /** Refuses an objective for a kind of model. */
  static IllegalArgumentException unfit(TrainingSpec spec, Architecture model, String learnable) {
    return new IllegalArgumentException(
        "objective '"
            + spec.objective()
            + "' is not implemented for "
            + model.kind()
            + " ('model_type' "
            + model.config().modelType()
            + " in "
            + spec.model()
            + "); there are "
            + learnable);
  }
}
