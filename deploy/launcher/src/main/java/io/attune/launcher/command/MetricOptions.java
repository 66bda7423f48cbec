package io.attune.launcher.command;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.evaluate.Averaging;
import io.attune.engine.evaluate.Bleu;
import io.attune.engine.evaluate.BleuTokenizer;
import io.attune.launcher.evaluate.TaskSettings;
import io.attune.launcher.evaluate.WritingSettings;
import java.util.Arrays;
import java.util.Locale;
import java.util.function.Function;
import java.util.stream.Collectors;
import picocli.CommandLine.Option;

/** How metrics count. */
final class MetricOptions {
  @Option(
      names = "--average",
      paramLabel = "NAME",
      description =
          "f1: binary, macro, micro or weighted. Default: binary for two labels, else macro.")
  private String average;

  @Option(
      names = "--pos-label",
      paramLabel = "LABEL",
      description = "f1: the label that binary scores look at. Default: label 1.")
  private String posLabel;

  @Option(
      names = "--zero-division",
      paramLabel = "0|1",
      description = "f1: the score of a label that is never there to be found. Default: 0.")
  private double zeroDivision;

  @Option(
      names = "--tokenize",
      paramLabel = "NAME",
      description = "bleu: 13a, zh, intl, char or none. Default: ${DEFAULT-VALUE}.")
  private String tokenize = "13a";

  @Option(
      names = "--smooth-method",
      paramLabel = "NAME",
      description = "bleu: exp, floor, add-k or none. Default: ${DEFAULT-VALUE}.")
  private String smoothMethod = "exp";

  @Option(
      names = "--smooth-value",
      paramLabel = "X",
      description = "bleu: for floor (default 0.1) and add-k (default 1).")
  private Double smoothValue;

  @Option(names = "--lowercase", description = "bleu, chrf: leave case out of account.")
  private boolean lowercase;

  @Option(names = "--use-stemmer", description = "rouge: compare stems (Porter).")
  private boolean useStemmer;

  @Option(
      names = "--normalize",
      description = "exact_match: without case, punctuation and articles, as SQuAD.")
  private boolean normalize;

  TaskSettings settings(WritingSettings writing) {
    if (zeroDivision != 0 && zeroDivision != 1) {
      throw new EngineException(
          Reason.INVALID_ARGUMENT, "--zero-division is " + zeroDivision + "; it is 0 or 1");
    }
    Bleu.Smoothing smoothing =
        named("--smooth-method", smoothMethod, Bleu.Smoothing.values(), Bleu.Smoothing::signature);
    Bleu bleu =
        new Bleu(
            named("--tokenize", tokenize, BleuTokenizer.values(), BleuTokenizer::signature),
            lowercase,
            smoothing,
            smoothValue == null ? smoothing.usualValue() : smoothValue,
            false);
    Averaging averaging =
        average == null
            ? null
            : named(
                "--average",
                average,
                Averaging.values(),
                value -> value.name().toLowerCase(Locale.ROOT));
    return new TaskSettings(
        averaging, posLabel, zeroDivision, bleu, lowercase, useStemmer, normalize, writing);
  }

  private static <T> T named(String option, String name, T[] values, Function<T, String> naming) {
    return Arrays.stream(values)
        .filter(value -> naming.apply(value).equals(name))
        .findAny()
        .orElseThrow(
            () ->
                new EngineException(
                    Reason.INVALID_ARGUMENT,
                    option
                        + " is '"
                        + name
                        + "'; there are "
                        + Arrays.stream(values).map(naming).collect(Collectors.joining(", "))));
  }
}
