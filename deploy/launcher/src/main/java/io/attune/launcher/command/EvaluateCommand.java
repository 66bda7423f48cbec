package io.attune.launcher.command;

import io.attune.engine.LanguageModel;
import io.attune.engine.LoadedAdapter;
import io.attune.engine.data.Row;
import io.attune.engine.data.Rows;
import io.attune.engine.evaluate.Likelihood;
import io.attune.launcher.display.Display;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code attune evaluate}. */
@Command(
    name = "evaluate",
    description = "Measures a model on a file of rows.",
    mixinStandardHelpOptions = true)
public final class EvaluateCommand implements Callable<Integer> {
  /** What is measured, named as on the command line. */
  enum Task {
    perplexity,
    accuracy
  }

  @Mixin private ModelOptions model;

  @Option(
      names = "--task",
      required = true,
      description = {
        "perplexity: of the tokens that sft would learn.",
        "accuracy: of {prompt, chosen, rejected} rows, how often the chosen answer is likelier;",
        "of other rows, how many of those tokens are the likeliest."
      })
  private Task task;

  @Option(
      names = "--data",
      paramLabel = "FILE",
      required = true,
      description = "Rows, JSONL or a JSON array.")
  private Path data;

  @Option(
      names = "--max-length",
      paramLabel = "N",
      description = "Tokens of a row at most. Default: ${DEFAULT-VALUE}.")
  private int maxLength = 1024;

  @Override
  public Integer call() {
    List<Row> rows = Rows.read(data);
    Display display = Display.of(System.err);
    try (LanguageModel base = model.loadLanguageModel();
        LoadedAdapter adapter = model.loadAdapter(base)) {
      Likelihood likelihood =
          new Likelihood(
              base.examples(maxLength),
              (sequence) -> base.logits(List.of(sequence), adapter, false).get(0),
              base.config().vocabSize());
      display.stage("reading " + rows.size() + " rows");
      for (int i = 0; i < rows.size(); i++) {
        likelihood.add(rows.get(i), data + " row " + (i + 1));
        display.step(i + 1L, rows.size(), "");
      }
      display.done("measured " + data);
      double value = task == Task.perplexity ? likelihood.perplexity() : likelihood.accuracy();
      System.out.printf(
          Locale.ROOT,
          "{\"task\": \"%s\", \"value\": %.6f, \"rows\": %d, \"tokens\": %d}%n",
          task,
          value,
          likelihood.rows(),
          likelihood.tokens());
    }
    return 0;
  }
}
