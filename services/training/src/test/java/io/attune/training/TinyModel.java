package io.attune.training;

import io.quarkus.test.junit.QuarkusTestProfile;
import java.nio.file.Path;
import java.util.Map;

/** Jobs train a model of 47 thousand parameters, whose numbers the engine's tests prove. */
public final class TinyModel implements QuarkusTestProfile {
  static final Path FOLDER = Path.of("../lib/engine/src/test/resources/golden/models/llama");

  @Override
  public Map<String, String> getConfigOverrides() {
    return Map.of(
        "attune.base-model", FOLDER.toString(),
        "attune.threads", "1",
        "attune.training.worker.heap", "256m",
        "attune.training.worker.jvm-options", "-XX:TieredStopAtLevel=1");
  }

  /**
   * Ratings that are easy to learn from: to each prompt one answer is praised and one is not.
   *
   * @param prompts every fourth is held out
   */
  static String ratings(int prompts) {
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < prompts; i++) {
      lines.append(line(i, "good", "yes yes yes", 0.9));
      lines.append(line(i, "poor", "no no no", 0.1));
    }
    return lines.toString();
  }

  private static String line(int i, String id, String answer, double score) {
    return """
    {"rating_id":"%04d-%s","rater":"ann","held_out":%b,"prompt":"question %d",\
    "answers":[{"completion":"%s"}],"score":%s}
    """
        .formatted(i, id, i % 4 == 0, i, answer, score);
  }

  /** Settings with which the tiny model learns that in seconds. */
  static String arguments(int steps) {
    return """
    "lora":{"r":4,"lora_alpha":8},
    "arguments":{"learning_rate":0.01,"per_device_train_batch_size":8,"max_steps":%d,
    "max_length":64,"seed":1}\
    """
        .formatted(steps);
  }
}
