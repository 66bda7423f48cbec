package io.attune.launcher.command;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.ProgressListener;
import io.attune.engine.checkpoint.TensorType;
import io.attune.engine.gguf.GgufFile;
import io.attune.engine.gguf.GgufImport;
import io.attune.launcher.display.Display;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code attune import}: what a source is decides who reads it. */
@Command(
    name = "import",
    description = "Makes a model folder of Hugging Face's layout from a model in another form.",
    mixinStandardHelpOptions = true)
public final class ImportCommand implements Callable<Integer> {
  /** Element types of the weights, named as in Python. */
  enum Dtype {
    float32(TensorType.F32),
    bfloat16(TensorType.BF16),
    float16(TensorType.F16);

    private final TensorType type;

    Dtype(TensorType type) {
      this.type = type;
    }
  }

  @Parameters(
      paramLabel = "FILE.gguf",
      description = "A GGUF file of architecture llama, qwen2 or qwen3.")
  private String source;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      required = true,
      description = "The folder to make; it must not exist.")
  private Path out;

  @Option(
      names = "--dtype",
      description = {
        "Of the weights: ${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}, which loses nothing",
        "of what a GGUF file holds."
      })
  private Dtype dtype = Dtype.float32;

  @Override
  public Integer call() {
    Path file = Path.of(source);
    if (!Files.isRegularFile(file)) {
      throw new EngineException(Reason.IO, "no such file: " + file);
    }
    if (!GgufFile.recognises(file)) {
      throw new EngineException(Reason.UNSUPPORTED, file + " is not a GGUF file");
    }
    Display display = Display.of(System.err);
    display.stage("dequantising " + file.getFileName());
    GgufImport.run(file, out, dtype.type, listener(display));
    display.done("wrote " + out);
    return 0;
  }

  private static ProgressListener listener(Display display) {
    return new ProgressListener() {
      @Override
      public void onStep(int step, int total, Map<String, Double> metrics) {
        display.step(step, total, "weights");
      }

      @Override
      public void onNotice(String message) {
        display.note(message);
      }
    };
  }
}
