package io.attune.launcher.command;

import io.attune.engine.PretrainedModel;
import io.attune.engine.checkpoint.SafeTensorsWriter;
import io.attune.engine.checkpoint.TensorData;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code attune logits}. */
@Command(
    name = "logits",
    description = {
      "Writes a model's logits for given token ids:",
      "of a language model for each token, of a classifier for each text or token;",
      "of an encoder without a head the embedding of each text."
    },
    mixinStandardHelpOptions = true)
public final class LogitsCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Mixin private ModelOptions model;

  @Option(names = "--merged", description = "Fold the adapter into the weights first.")
  private boolean merged;

  @ArgGroup(multiplicity = "1")
  private Source source;

  /** Where texts come from: one of the two. */
  static final class Source {
    @Option(
        names = "--input",
        paramLabel = "FILE.json",
        description = {
          "{\"input_ids\": [[...]], \"attention_mask\": [[...]], \"labels\": [[...]]}",
          "and \"token_type_ids\" for an encoder of pairs of texts."
        })
    private Path input;

    @Option(
        names = "--text",
        paramLabel = "TEXT",
        description = {
          "A text for a model that classifies or embeds; may be repeated. Prints for each a line",
          "of JSON: its label, the labels of its tokens, or its embedding."
        })
    private List<String> texts;
  }

  @Option(
      names = "--out",
      paramLabel = "FILE.safetensors",
      description =
          "Gets tensor logits, [rows, tokens, vocabulary] of a language model (the virtual tokens of"
              + " an adapter's prompt come before each row's tokens), [rows, labels] of a"
              + " classifier, or embeddings, [rows, size]; and loss where there are labels.")
  private Path out;

  @Override
  public Integer call() {
    if (source.texts != null) {
      try (PretrainedModel base = model.load();
          LogitsPass pass = LogitsPass.of(base, model.adapter(), merged)) {
        pass.print(source.texts, System.out);
      }
      return 0;
    }
    if (out == null) {
      throw new ParameterException(
          spec.commandLine(), "Missing required option: '--out=FILE.safetensors'");
    }
    LogitsInput batch = LogitsInput.read(source.input);
    try (PretrainedModel base = model.load();
        LogitsPass pass = LogitsPass.of(base, model.adapter(), merged)) {
      LogitsResult result = pass.run(batch);
      batch.warnOfUnread();
      List<TensorData> tensors = new ArrayList<>();
      tensors.add(TensorData.of(result.name(), result.shape(), result.values()));
      if (result.loss().isPresent()) {
        double loss = result.loss().getAsDouble();
        tensors.add(TensorData.of("loss", new long[0], new float[] {(float) loss}));
        System.out.println("loss " + loss);
      }
      SafeTensorsWriter.write(out, tensors, SafeTensorsWriter.PYTORCH);
    }
    System.out.println("wrote " + out);
    return 0;
  }
}
