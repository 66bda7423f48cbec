package io.attune.launcher.command;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.ProgressListener;
import io.attune.engine.checkpoint.TensorType;
import io.attune.engine.gguf.GgufFile;
import io.attune.engine.gguf.GgufImport;
import io.attune.engine.onnx.OnnxImport;
import io.attune.engine.onnx.Pooling;
import io.attune.launcher.display.Display;
import io.attune.launcher.hub.HubSettings;
import io.attune.launcher.hub.ModelDownload;
import io.attune.launcher.hub.ModelId;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code attune import}: what a source is decides who reads it. */
@Command(
    name = "import",
    description =
        "Makes a model folder of Hugging Face's layout from a model in another form, or from the"
            + " hub.",
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

  /** How a sentence encoder pools, named as on the command line. */
  enum PoolingMode {
    mean(Pooling.MEAN),
    cls(Pooling.CLS);

    private final Pooling pooling;

    PoolingMode(Pooling pooling) {
      this.pooling = pooling;
    }
  }

  @Parameters(
      paramLabel = "SOURCE",
      description = {
        "FILE.gguf: a model of architecture llama, qwen2 or qwen3.",
        "FILE.onnx, or a JAR that holds one: a sentence encoder of the BERT type.",
        "ORG/NAME: a model on the Hugging Face hub, of which safetensors, JSON, tokenizer and"
            + " templates are taken. HF_TOKEN opens private ones."
      })
  private String source;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      required = true,
      description =
          "The folder to make; it must not exist. A download that was interrupted goes on.")
  private Path out;

  @Option(
      names = "--dtype",
      description = {
        "Of the weights of a GGUF file: ${COMPLETION-CANDIDATES}. Default: float32, which loses",
        "nothing of what the file holds."
      })
  private @Nullable Dtype dtype;

  @Option(
      names = "--pooling",
      description =
          "Of a sentence encoder: ${COMPLETION-CANDIDATES}. Default: what 1_Pooling/config.json"
              + " beside the graph says, or else mean.")
  private @Nullable PoolingMode pooling;

  @Option(
      names = "--revision",
      paramLabel = "R",
      description = "Branch, tag or commit on the hub. Default: main.")
  private @Nullable String revision;

  @Option(
      names = "--endpoint",
      paramLabel = "URL",
      description = "The hub or its mirror. Default: HF_ENDPOINT, or https://huggingface.co.")
  private @Nullable String endpoint;

  @Override
  public Integer call() {
    Path file = Path.of(source);
    if (!Files.isRegularFile(file)) {
      refuse("--dtype", dtype);
      refuse("--pooling", pooling);
      download();
      return 0;
    }
    refuse("--revision", revision);
    refuse("--endpoint", endpoint);
    if (GgufFile.recognises(file)) {
      refuse("--pooling", pooling);
      importGguf(file);
    } else {
      refuse("--dtype", dtype);
      requireOnnx(file);
      importOnnx(file);
    }
    return 0;
  }

  private static void requireOnnx(Path file) {
    String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
    if (!name.endsWith(".onnx") && !name.endsWith(".jar")) {
      throw new EngineException(
          Reason.INVALID_ARGUMENT,
          file + " is not a GGUF file; what else can be imported ends in .onnx or .jar");
    }
  }

  private void importGguf(Path file) {
    Display display = Display.of(System.err);
    display.stage("dequantising " + file.getFileName());
    GgufImport.run(file, out, (dtype == null ? Dtype.float32 : dtype).type, listener(display));
    display.done("wrote " + out);
  }

  private void importOnnx(Path file) {
    OnnxImport.Summary summary =
        OnnxImport.write(file, out, pooling == null ? null : pooling.pooling);
    System.err.printf(
        Locale.ROOT,
        "wrote %s: BERT of %d layers, hidden size %d, %d heads; %s pooling%s%n",
        out,
        summary.layers(),
        summary.hidden(),
        summary.heads(),
        summary.pooling().name().toLowerCase(Locale.ROOT),
        summary.poolingAssumed() ? ", assumed, since nothing says how (--pooling does)" : "");
  }

  private void download() {
    if (!ModelId.isPath(source)) {
      throw new EngineException(
          Reason.INVALID_ARGUMENT,
          "'" + source + "' is neither a file nor a model's name on the hub (ORG/NAME)");
    }
    ModelId model = new ModelId(source, revision == null ? ModelId.MAIN : revision);
    Display display = Display.of(System.err);
    new ModelDownload(HubSettings.of(System.getenv(), endpoint), display).run(model, out);
    display.done(out + " holds " + model);
  }

  /** Refuses an option that says nothing about this kind of source. */
  private void refuse(String option, @Nullable Object value) {
    if (value != null) {
      throw new EngineException(
          Reason.INVALID_ARGUMENT, option + " " + value + " does not apply to " + source);
    }
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
