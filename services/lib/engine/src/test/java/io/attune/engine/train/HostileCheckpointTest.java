package io.attune.engine.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.checkpoint.Manifest;
import io.attune.engine.tensor.Torch;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Checkpoints that are damaged, of another run, or say what their folder does not. */
class HostileCheckpointTest {
  @TempDir Path folder;
  private final List<String> notices = new ArrayList<>();
  private NDManager scope;

  @BeforeEach
  void setUp() {
    scope = Torch.scope("hostile");
    for (int step : new int[] {3, 5}) {
      checkpoints("run").save(new Checkpoints.State(step, 10L * step), tensors(2, step));
    }
  }

  @AfterEach
  void tearDown() {
    scope.close();
  }

  private Checkpoints checkpoints(String fingerprint) {
    return new Checkpoints(folder, fingerprint, notices::add);
  }

  private Map<String, NDArray> tensors(int size, float value) {
    return Map.of("a", scope.full(new Shape(size), value, DataType.FLOAT32));
  }

  /** Writes a file of the newest checkpoint, and a manifest that fits. */
  private void change(String file, String content) throws Exception {
    Path checkpoint = folder.resolve("checkpoint-5");
    Files.writeString(checkpoint.resolve(file), content);
    Files.delete(checkpoint.resolve(Manifest.FILE));
    Manifest.write(checkpoint);
  }

  private void assertRefused(Reason reason, String fingerprint, int size, String message) {
    Map<String, NDArray> tensors = tensors(size, 0);
    assertThatThrownBy(() -> checkpoints(fingerprint).restore(tensors))
        .isInstanceOfSatisfying(
            EngineException.class, e -> assertThat(e.reason()).as("%s", e).isEqualTo(reason))
        .hasMessageContaining("checkpoint-5")
        .hasMessageContaining(message);
  }

  @Test
  void passesOverADamagedCheckpoint() throws Exception {
    Files.writeString(folder.resolve("checkpoint-5").resolve("trainer_state.json"), "{}");
    Map<String, NDArray> tensors = tensors(2, 0);

    assertThat(checkpoints("run").restore(tensors)).isEqualTo(new Checkpoints.State(3, 30));

    assertThat(tensors.get("a").toFloatArray()).containsExactly(3, 3);
    assertThat(notices).singleElement().asString().contains("checkpoint-5 is damaged");
  }

  @Test
  void refusesTheCheckpointOfAnotherRun() {
    assertRefused(
        Reason.INVALID_ARGUMENT, "other", 2, "belongs to a run with other settings or data");
  }

  @Test
  void refusesTensorsOfAnotherShape() {
    assertRefused(Reason.CORRUPT, "run", 3, "tensor 'a' has shape [2]; this run asks for (3)");
  }

  @ParameterizedTest
  @CsvSource({
    "6, 50", // not the step that the folder is named for
    "-5, 50",
    "4294967301, 50",
    "null, 50",
    "5, -1",
    "5, 0.5",
    "5, 9223372036854775808",
    "5, null",
  })
  void refusesAStateThatCannotBe(String step, String tokens) throws Exception {
    change(
        "trainer_state.json",
        "{\"fingerprint\":\"run\",\"global_step\":%s,\"num_tokens\":%s}".formatted(step, tokens));

    assertRefused(Reason.CORRUPT, "run", 2, "says global_step " + step + " and num_tokens");
  }

  @Test
  void refusesAStateThatIsNoJsonAndTensorsThatAreNone() throws Exception {
    change("training_state.safetensors", "");
    assertRefused(Reason.CORRUPT, "run", 2, "is not a safetensors file");
    change("trainer_state.json", "{\"fingerprint\":");
    assertRefused(Reason.CORRUPT, "run", 2, "trainer_state.json is not valid JSON");
  }
}
