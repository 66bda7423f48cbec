package io.attune.engine.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.attune.engine.EngineException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TensorBoardReporterTest {
  private static final InstantSource CLOCK =
      InstantSource.fixed(Instant.ofEpochSecond(1_700_000_000, 250_000_000));

  /**
   * What tensorboard 2.21 writes: its {@code RecordWriter}, of the messages of its {@code
   * compat.proto}.
   */
  private static final String REFERENCE =
      "1800000000000000a37f4b220900001040fc54d9411a0d627261696e2e4576656e743a32338d"
          + "2fe90f000000000000006d532b090900001040fc54d94110033a0208019481124c2100000000"
          + "000000017becf60900001040fc54d94110ac022a130a110a0a747261696e2f6c6f737315cdcc"
          + "cc3d5f7626ba3700000000000000e7e8ca590900001040fc54d9412a2c0a2a0a11617267732f"
          + "746578745f73756d6d617279420b08071204120208014201614a080a060a04746578749d3689"
          + "43";

  @TempDir Path folder;

  @Test
  void theBytesAreTensorBoardsOwn() throws Exception {
    try (EventFile file = EventFile.create(folder, 3, CLOCK)) {
      file.scalars(300, Map.of("train/loss", 0.1));
      file.text(0, "args", "a");
    }
    assertThat(HexFormat.of().formatHex(Files.readAllBytes(EventReader.files(folder).get(0))))
        .isEqualTo(REFERENCE);
  }

  @Test
  void aReaderFindsWhatWasReported() throws Exception {
    TensorBoardReporter reporter =
        new TensorBoardReporter(folder.resolve("deep/runs"), Map.of("r", "8", "model", "a|b"));
    double before = System.currentTimeMillis() / 1e3;
    reporter.step(1, Map.of("loss", 1.0 / 3, "rewards/chosen", -2e-9, "eval_loss", 5e30));
    reporter.step(2, Map.of("loss", Double.NaN));
    reporter.end(Outcome.FINISHED);

    List<Path> files = EventReader.files(folder.resolve("deep/runs"));
    assertThat(files).hasSize(1);
    List<EventReader.Event> events = EventReader.events(files.get(0));
    assertThat(events).hasSize(5);
    assertThat(events.get(0).fileVersion()).isEqualTo("brain.Event:2");
    assertThat(events.get(1).session()).isEqualTo(1);
    assertThat(events.get(1).step()).isZero();
    assertThat(events.get(2).values())
        .singleElement()
        .satisfies(
            value -> {
              assertThat(value.tag()).isEqualTo("args/text_summary");
              assertThat(value.plugin()).isEqualTo("text");
              assertThat(value.text()).contains("|model|a b|\n|r|8|\n");
            });
    assertThat(events.get(3).wallTime()).isCloseTo(before, within(60.0));
    assertThat(EventReader.curves(folder.resolve("deep/runs")))
        .containsOnlyKeys("train/loss", "train/rewards/chosen", "eval/loss")
        .containsEntry("eval/loss", sorted(1, 5e30f))
        .containsEntry("train/rewards/chosen", sorted(1, -2e-9f))
        .containsEntry("train/loss", sorted(1, 1 / 3f, 2, Float.NaN));
  }

  @Test
  void stepsThatAreDoneAgainAreVoidAndReadOnce() throws Exception {
    for (int start = 1; start < 40; start += 4) { // many starts in one second
      TensorBoardReporter reporter = new TensorBoardReporter(folder, Map.of());
      for (int step = start; step < start + 7; step++) {
        reporter.step(step, Map.of("loss", start + step / 100.0));
      }
      reporter.end(Outcome.KILLED);
    }
    assertThat(EventReader.files(folder)).hasSize(10);
    Map<Long, Float> curve = EventReader.curves(folder).get("train/loss");
    assertThat(curve).hasSize(43);
    curve.forEach(
        (step, value) -> {
          long start = Math.min(37, (step - 1) / 4 * 4 + 1);
          assertThat(value).as("step %s", step).isEqualTo((float) (start + step / 100.0));
        });
  }

  @Test
  void aRecordThatWasCutShortEndsItsFileOnly() throws Exception {
    TensorBoardReporter killed = new TensorBoardReporter(folder, Map.of());
    killed.step(1, Map.of("loss", 3.0));
    killed.step(2, Map.of("loss", 2.0));
    Path file = EventReader.files(folder).get(0);
    byte[] whole = Files.readAllBytes(file);
    Files.write(file, Arrays.copyOf(whole, whole.length - 5), StandardOpenOption.TRUNCATE_EXISTING);

    TensorBoardReporter resumed = new TensorBoardReporter(folder, Map.of());
    resumed.step(2, Map.of("loss", 2.5));
    resumed.end(Outcome.FINISHED);

    assertThat(EventReader.curves(folder)).containsEntry("train/loss", sorted(1, 3f, 2, 2.5f));
  }

  @Test
  void aFolderThatCannotBeWrittenIsNamed() throws Exception {
    Path file = Files.writeString(folder.resolve("file"), "");
    assertThatThrownBy(() -> new TensorBoardReporter(file, Map.of()).step(1, Map.of("loss", 1.0)))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("cannot write TensorBoard's events to " + file);
  }

  private static SortedMap<Long, Float> sorted(Object... stepsAndValues) {
    SortedMap<Long, Float> curve = new TreeMap<>();
    for (int i = 0; i < stepsAndValues.length; i += 2) {
      curve.put((long) (int) stepsAndValues[i], (Float) stepsAndValues[i + 1]);
    }
    return curve;
  }
}
