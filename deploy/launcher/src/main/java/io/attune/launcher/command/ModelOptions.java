package io.attune.launcher.command;

import io.attune.engine.LanguageModel;
import io.attune.engine.LoadOptions;
import io.attune.engine.LoadedAdapter;
import io.attune.engine.LoadedSequenceAdapter;
import io.attune.engine.PretrainedModel;
import io.attune.engine.SequenceToSequence;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** The model and adapter that the offline commands work on. */
final class ModelOptions {
  @Option(
      names = "--model",
      paramLabel = "DIR",
      required = true,
      description = "Base model, a Hugging Face folder.")
  private Path model;

  @Option(names = "--adapter", paramLabel = "DIR", description = "Adapter, a PEFT folder.")
  private Path adapter;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads to compute with. Default: one for each processor.")
  private int threads = Runtime.getRuntime().availableProcessors();

  @Option(
      names = "--dtype",
      paramLabel = "TYPE",
      description =
          "float32, or bfloat16: a model that writes text takes half the memory. Default:"
              + " ${DEFAULT-VALUE}.")
  private String dtype = "float32";

  /** Whatever kind of model the folder holds. */
  PretrainedModel load() {
    return PretrainedModel.load(model, options());
  }

  /** Another model, loaded in the same way. */
  PretrainedModel load(Path other) {
    return PretrainedModel.load(other, options());
  }

  /** The folder of the model. */
  Path model() {
    return model;
  }

  private LoadOptions options() {
    return LoadOptions.defaults().withThreads(threads).withDtype(dtype);
  }

  /** The folder of the adapter that was named, or null. */
  Path adapter() {
    return adapter;
  }

  /** The adapter that was named, or null. */
  LoadedAdapter loadAdapter(LanguageModel base) {
    return adapter == null ? null : base.loadAdapter(adapter);
  }

  /** The adapter that was named, or null. */
  LoadedSequenceAdapter loadAdapter(SequenceToSequence base) {
    return adapter == null ? null : base.loadAdapter(adapter);
  }
}
