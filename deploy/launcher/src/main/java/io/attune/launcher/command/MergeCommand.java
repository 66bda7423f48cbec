package io.attune.launcher.command;

import io.attune.engine.LanguageModel;
import io.attune.engine.LoadOptions;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code attune merge}. */
@Command(
    name = "merge",
    description = {
      "Folds an adapter into its base model's weights and writes the result as a model.",
      "LoRA, DoRA, (IA)^3 and VeRA can be merged; adapters of virtual tokens cannot."
    },
    mixinStandardHelpOptions = true)
public final class MergeCommand implements Callable<Integer> {
  @Option(
      names = "--model",
      paramLabel = "DIR",
      required = true,
      description = "Base model, a Hugging Face folder.")
  private Path model;

  @Option(
      names = "--adapter",
      paramLabel = "DIR",
      required = true,
      description = "Adapter, a PEFT folder.")
  private Path adapter;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      required = true,
      description = "Gets the merged model; must not exist yet.")
  private Path out;

  @Override
  public Integer call() {
    try (LanguageModel base = LanguageModel.load(model, LoadOptions.defaults())) {
      base.merge(adapter, out);
    }
    System.out.println("wrote " + out);
    return 0;
  }
}
