package io.attune.launcher.command;

import io.attune.engine.EngineException;
import io.attune.engine.LanguageModel;
import io.attune.engine.PretrainedModel;
import io.attune.engine.SequenceToSequence;
import io.attune.engine.TextEncoder;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;

/** What {@code attune logits} computes, for one kind of model; one class a kind. */
interface LogitsPass extends AutoCloseable {

  LogitsResult run(LogitsInput input);

  /** Prints what the model says of texts, a line for each. */
  default void print(List<String> texts, PrintStream out) {
    throw new EngineException(
        EngineException.Reason.INVALID_ARGUMENT,
        "--text is for models that classify or embed; this one takes --input, or attune generate");
  }

  /** Frees the adapter; the model stays open. */
  @Override
  void close();

  /**
   * @param adapter a PEFT folder, or null for the model alone
   * @param merged whether the adapter is folded into the weights first
   */
  static LogitsPass of(PretrainedModel model, Path adapter, boolean merged) {
    if (model instanceof LanguageModel languageModel) {
      return new LanguageModelLogits(languageModel, adapter, merged);
    }
    if (model instanceof TextEncoder encoder) {
      return new TextEncoderLogits(encoder, adapter, merged);
    }
    if (model instanceof SequenceToSequence encoderDecoder) {
      return new SequenceToSequenceLogits(encoderDecoder, adapter, merged);
    }
    throw new IllegalStateException("no logits of a " + model.getClass().getSimpleName());
  }
}
