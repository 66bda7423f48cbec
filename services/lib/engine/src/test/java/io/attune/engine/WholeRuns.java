package io.attune.engine;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What tests of whole training runs share: rows, power cuts, and the metrics of a run. */
final class WholeRuns {
  private static final ObjectMapper JSON = new ObjectMapper();

  private WholeRuns() {}

  /**
   * Rows {prompt, completion} of the golden preferences.
   *
   * @param answer which of the answers is the completion: chosen or rejected
   */
  static List<String> completions(String answer) throws IOException {
    List<String> lines = new ArrayList<>();
    for (JsonNode row : Golden.json("preferences.json")) {
      lines.add(prompt(row).put("completion", row.get(answer).asText()).toString());
    }
    return lines;
  }

  /** The golden preferences as rows {prompt, chosen, rejected}. */
  static List<String> pairs() throws IOException {
    List<String> lines = new ArrayList<>();
    for (JsonNode row : Golden.json("preferences.json")) {
      lines.add(
          prompt(row)
              .put("chosen", row.get("chosen").asText())
              .put("rejected", row.get("rejected").asText())
              .toString());
    }
    return lines;
  }

  private static ObjectNode prompt(JsonNode row) {
    return JSON.createObjectNode().put("prompt", row.get("prompt").asText() + "\n");
  }

  static TrainingResult run(TrainingSpec spec) {
    return TrainingRun.run(spec, ProgressListener.NONE, CancelSignal.NEVER);
  }

  /** Runs until the power is cut. */
  static PowerCut cutAfter(int steps, TrainingSpec spec) {
    PowerCut cut = new PowerCut(steps);
    assertThatThrownBy(() -> TrainingRun.run(spec, cut, CancelSignal.NEVER))
        .hasMessage("power cut");
    return cut;
  }

  /** Notes the steps that it is told of, and fails once. */
  static final class PowerCut implements ProgressListener {
    private final int after;
    private final List<Integer> seen = new ArrayList<>();

    private PowerCut(int after) {
      this.after = after;
    }

    /** Of all runs that had this listener. */
    List<Integer> seen() {
      return seen;
    }

    @Override
    public void onStep(int step, int total, Map<String, Double> metrics) {
      seen.add(step);
      if (seen.size() == after) {
        throw new IllegalStateException("power cut");
      }
    }
  }

  /** The lines of {@code metrics.jsonl}. */
  static List<JsonNode> metrics(TrainingSpec spec) throws IOException {
    List<JsonNode> lines = new ArrayList<>();
    for (String line : Files.readAllLines(spec.out().resolve("metrics.jsonl"))) {
      lines.add(JSON.readTree(line));
    }
    return lines;
  }

  /** The weights of the adapter that a run wrote. */
  static Path adapter(TrainingSpec spec) {
    return spec.out().resolve("adapter_model.safetensors");
  }
}
