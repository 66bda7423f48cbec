package io.attune.launcher.command;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.LanguageModel;
import io.attune.engine.LoadedAdapter;
import io.attune.engine.data.Row;
import io.attune.engine.data.Rows;
import io.attune.engine.evaluate.Likelihood;
import io.attune.launcher.display.Display;
import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
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
  private static final long MAX_TEXT_BYTES = 64L << 20;

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
      description = {
        "Rows, JSONL or a JSON array; or plain text in a .txt file, which is read in windows of",
        "--max-length tokens: each predicts its tokens but the first from those before."
      })
  private Path data;

  @Option(
      names = "--max-length",
      paramLabel = "N",
      description = "Tokens of a row or window at most. Default: ${DEFAULT-VALUE}.")
  private int maxLength = 1024;

  @Override
  public Integer call() {
    if (maxLength < 2) {
      throw new EngineException(
          Reason.INVALID_ARGUMENT,
          "--max-length is " + maxLength + "; a token needs one before it");
    }
    List<Row> rows = isText() ? List.of() : Rows.read(data);
    Display display = Display.of(System.err);
    try (LanguageModel base = model.loadLanguageModel();
        LoadedAdapter adapter = model.loadAdapter(base)) {
      Likelihood likelihood =
          new Likelihood(
              base.examples(maxLength),
              (sequence) -> base.logits(List.of(sequence), adapter, false).get(0),
              base.config().vocabSize());
      if (isText()) {
        addText(likelihood, base.tokenizer().encode(readText(), true), display);
      } else {
        addRows(likelihood, rows, display);
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

  private boolean isText() {
    return data.toString().endsWith(".txt");
  }

  private void addRows(Likelihood likelihood, List<Row> rows, Display display) {
    display.stage("reading " + rows.size() + " rows");
    for (int i = 0; i < rows.size(); i++) {
      likelihood.add(rows.get(i), data + " row " + (i + 1));
      display.step(i + 1L, rows.size(), "");
    }
  }

  private void addText(Likelihood likelihood, int[] ids, Display display) {
    display.stage("reading " + ids.length + " tokens");
    for (int start = 0; start < ids.length; start += maxLength) {
      int end = Math.min(ids.length, start + maxLength);
      likelihood.addWindow(Arrays.copyOfRange(ids, start, end));
      display.step(end, ids.length, "");
    }
  }

  private String readText() {
    try {
      if (Files.size(data) > MAX_TEXT_BYTES) {
        throw new EngineException(
            Reason.INVALID_ARGUMENT, data + " exceeds 64 MiB; measure a part of it");
      }
      return Files.readString(data);
    } catch (MalformedInputException e) {
      throw new EngineException(Reason.CORRUPT, data + " is not UTF-8", e);
    } catch (IOException e) {
      throw new EngineException(Reason.IO, "cannot read " + data + ": " + e.getMessage(), e);
    }
  }
}
