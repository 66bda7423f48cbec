package io.attune.engine.report;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Writes event files, one for each start of a run, with transformers' tags: {@code train/loss},
 * {@code eval/loss}. A run that was resumed has TensorBoard forget what was shown of the steps that
 * are done again.
 */
final class TensorBoardReporter implements Reporter {
  private static final String EVALUATION = "eval_";

  private final Path folder;
  private final Map<String, String> parameters;
  private @Nullable EventFile file;

  /**
   * @param parameters shown as text
   */
  TensorBoardReporter(Path folder, Map<String, String> parameters) {
    this.folder = folder;
    this.parameters = new TreeMap<>(parameters);
  }

  @Override
  public void step(int step, Map<String, Double> metrics) {
    Map<String, Double> values = new TreeMap<>();
    metrics.forEach((name, value) -> values.put(tag(name), value));
    try {
      if (file == null) {
        file = open(step);
      }
      file.scalars(step, values);
    } catch (IOException e) {
      throw new EngineException(
          Reason.IO, "cannot write TensorBoard's events to " + folder + ": " + e, e);
    }
  }

  private EventFile open(int step) throws IOException {
    boolean fresh = step == 1;
    EventFile opened = EventFile.create(folder, fresh ? 0 : step, InstantSource.system());
    if (fresh) {
      StringBuilder table = new StringBuilder("|setting|value|\n|---|---|\n");
      parameters.forEach(
          (name, value) ->
              table.append("|" + name + "|" + value.replaceAll("[|\\s]+", " ") + "|\n"));
      opened.text(0, "args", table.toString());
    }
    return opened;
  }

  private static String tag(String name) {
    return name.startsWith(EVALUATION)
        ? "eval/" + name.substring(EVALUATION.length())
        : "train/" + name;
  }

  @Override
  public void end(Outcome outcome) {
    try {
      if (file != null) {
        file.close();
      }
    } catch (IOException e) {
      throw new EngineException(
          Reason.IO, "cannot write TensorBoard's events to " + folder + ": " + e, e);
    }
  }
}
