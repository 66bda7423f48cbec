package io.attune.launcher.command;

import io.attune.engine.PretrainedModel;
import io.attune.engine.checkpoint.SafeTensorsWriter;
import io.attune.engine.checkpoint.TensorData;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code attune logits}. */
@Command(
    name = "logits",
    description = "Writes a model's logits for given token ids.",
    mixinStandardHelpOptions = true)
public final class LogitsCommand implements Callable<Integer> {
  @Mixin private ModelOptions model;

  @Option(names = "--merged", description = "Fold the adapter into the weights first.")
  private boolean merged;

  @Option(
      names = "--input",
      paramLabel = "FILE.json",
      required = true,
      description = "{\"input_ids\": [[...]], \"attention_mask\": [[...]], \"labels\": [[...]]}")
  private Path input;

  @Option(
      names = "--out",
      paramLabel = "FILE.safetensors",
      required = true,
      description =
          "Gets tensor logits, [rows, tokens, vocabulary], and loss where there are labels; the"
              + " virtual tokens of an adapter's prompt come before each row's tokens.")
  private Path out;

  @Override
  public Integer call() {
    LogitsInput batch = LogitsInput.read(input);
    try (PretrainedModel base = model.load();
        LogitsPass pass = LogitsPass.of(base, model.adapter(), merged)) {
      LogitsResult result = pass.run(batch);
      batch.warnOfUnread();
      List<TensorData> tensors = new ArrayList<>();
      tensors.add(TensorData.of("logits", result.shape(), result.logits()));
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
