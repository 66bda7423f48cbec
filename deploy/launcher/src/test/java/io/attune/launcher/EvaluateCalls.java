package io.attune.launcher;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Calls of {@code attune evaluate}, and what a script reads of their results. */
abstract class EvaluateCalls {
  static final Path GOLDEN = Path.of("../../services/lib/engine/src/test/resources/golden");
  static final String LLAMA = GOLDEN.resolve("models/llama").toString();
  static final String LORA = GOLDEN.resolve("adapters/lora").toString();
  static final String BERT = GOLDEN.resolve("models/bert-classifier").toString();
  static final String T5 = GOLDEN.resolve("models/t5").toString();
  static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path folder;
  @RegisterExtension final CapturedOutput captured = new CapturedOutput();

  Path write(String name, String... lines) throws Exception {
    return Files.write(folder.resolve(name), List.of(lines));
  }

  JsonNode evaluate(String... arguments) throws Exception {
    Path file = folder.resolve("result.json");
    List<String> all = new ArrayList<>(List.of("evaluate", "--out", file.toString()));
    all.addAll(Arrays.asList(arguments));
    int status = Attune.execute(all.toArray(String[]::new));
    assertThat(status).as(captured.errors()).isZero();
    return JSON.readTree(file.toFile());
  }

  void assertRefused(String message, String... arguments) {
    captured.reset();
    List<String> all = new ArrayList<>(List.of("evaluate"));
    all.addAll(Arrays.asList(arguments));
    assertThat(Attune.execute(all.toArray(String[]::new))).isNotZero();
    assertThat(captured.errors().lines()).anyMatch(l -> l.contains(message));
  }

  static JsonNode metric(JsonNode result, String name) {
    for (JsonNode metric : result.get("metrics")) {
      if (metric.get("name").asText().equals(name)) {
        return metric;
      }
    }
    throw new AssertionError("no " + name + " in " + result);
  }

  static double value(JsonNode result, String name) {
    return metric(result, name).get("value").asDouble();
  }
}
