package io.attune.engine.train;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.checkpoint.AtomicFiles;
import io.attune.engine.checkpoint.JsonFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/** {@code metrics.jsonl}: a line a step, appended as soon as the step is done. */
final class MetricsFile {
  private final Path path;

  /** Keeps the lines up to {@code step}, as a run that resumes there needs; drops the others. */
  MetricsFile(Path folder, int step) {
    this.path = folder.resolve("metrics.jsonl");
    List<String> kept = new ArrayList<>();
    try {
      if (Files.exists(path) && step > 0) {
        for (String line : Files.readAllLines(path)) {
          // A line cut short by a crash is the last one, of a step that is done again.
          if (line.endsWith("}")
              && JsonFiles.parse(line, path.toString()).path("step").asInt() <= step) {
            kept.add(line + "\n");
          }
        }
      }
    } catch (IOException e) {
      throw new EngineException(Reason.IO, "cannot read " + path + ": " + e, e);
    }
    AtomicFiles.write(path, String.join("", kept).getBytes(StandardCharsets.UTF_8));
  }

  void append(StepMetrics metrics) {
    try {
      Files.writeString(path, metrics.toJson() + "\n", StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new EngineException(Reason.IO, "cannot write " + path + ": " + e, e);
    }
  }
}
