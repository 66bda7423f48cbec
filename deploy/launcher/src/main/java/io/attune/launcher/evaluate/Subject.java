package io.attune.launcher.evaluate;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.LanguageModel;
import io.attune.engine.PretrainedModel;
import io.attune.engine.SequenceToSequence;
import io.attune.engine.TextEncoder;
import io.attune.engine.data.Row;
import io.attune.engine.model.ClassLabels;
import io.attune.engine.objective.Reading;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * A model, with an adapter or without, as tasks use it. What a kind of model cannot do is refused
 * with a message that says so. Closing lets go of the adapter; the model stays open.
 */
public abstract class Subject implements AutoCloseable {
  private final PretrainedModel model;
  final ReadingSettings settings;

  Subject(PretrainedModel model, ReadingSettings settings) {
    this.model = model;
    this.settings = settings;
  }

  /**
   * A model as it is, or with an adapter.
   *
   * @param adapter a PEFT folder, or null
   */
  public static Subject of(
      PretrainedModel model, @Nullable Path adapter, ReadingSettings settings) {
    if (model instanceof LanguageModel languageModel) {
      return new LanguageSubject(languageModel, adapter, settings);
    }
    if (model instanceof SequenceToSequence encoderDecoder) {
      return new SequenceSubject(encoderDecoder, adapter, settings);
    }
    return new ClassifierSubject((TextEncoder) model, adapter, settings);
  }

  /** Tokens of a text, for windows. */
  int[] tokens(String text) {
    return model.tokenizer().encode(text, true);
  }

  /** Tokens of a window at most. */
  int window() {
    throw cannot("read a text in windows", "a decoder-only model");
  }

  /** The part of a row that is learned; empty where nothing of it fits the maximum length. */
  Optional<Passage> passage(Row row) {
    throw cannot("say how likely a text is", "a model that writes text");
  }

  /** The two answers of a preference, chosen and rejected; empty where neither fits. */
  Optional<List<Passage>> answers(Row row) {
    throw cannot("say which of two answers is likelier", "a decoder-only model");
  }

  /** What it says about the targets of passages. */
  List<Reading> read(List<Passage> passages) {
    throw cannot("say how likely a text is", "a model that writes text");
  }

  /** Refuses a model that writes no text, or not in this way. */
  void requireWriter(WritingSettings writing) {
    throw cannot("write answers", "a model that writes text");
  }

  /** Ids of what comes before a row's answer; refuses what leaves no room for one. */
  int[] prompt(Row row) {
    throw cannot("write answers", "a model that writes text");
  }

  /**
   * Answers prompts.
   *
   * @param done hears how many are written
   */
  List<String> write(List<int[]> prompts, WritingSettings writing, IntConsumer done) {
    throw cannot("write answers", "a model that writes text");
  }

  /** Labels of its classes; refuses a model that does not give each text one of them. */
  ClassLabels labels() {
    throw cannot("put texts into classes", "a text classifier");
  }

  /** The class of each text. */
  List<Integer> classify(List<String> texts) {
    throw cannot("put texts into classes", "a text classifier");
  }

  /** Whether it has classes, so that accuracy means theirs. */
  boolean classifies() {
    return false;
  }

  /** The largest number of tokens that the model reads. */
  int limit(int positions) {
    int asked = settings.maxLength() == 0 ? 1024 : settings.maxLength();
    return Math.min(asked, positions);
  }

  final EngineException cannot(String what, String needed) {
    return new EngineException(
        Reason.INVALID_ARGUMENT,
        model.folder()
            + " ('model_type' "
            + model.config().modelType()
            + ") cannot "
            + what
            + "; that needs "
            + needed);
  }

  @Override
  public abstract void close();
}
