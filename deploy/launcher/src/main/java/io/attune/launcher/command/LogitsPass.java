package io.attune.launcher.command;

import io.attune.engine.LanguageModel;
import io.attune.engine.PretrainedModel;
import java.nio.file.Path;

/** What {@code attune logits} computes, for one kind of model; one class a kind. */
interface LogitsPass extends AutoCloseable {

  LogitsResult run(LogitsInput input);

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
    throw new IllegalStateException("no logits of a " + model.getClass().getSimpleName());
  }
}
