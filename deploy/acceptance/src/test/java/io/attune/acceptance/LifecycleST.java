package io.attune.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What happens when processes die. */
class LifecycleST {
  private static final Duration LIMIT = Duration.ofMinutes(3);

  @TempDir Path folder;

  @Test
  void aKilledServiceIsReportedAndRestartedAndAKilledLauncherLeavesNoProcess() throws Exception {
    Path data = folder.resolve("data");
    try (AttuneProcess attune = AttuneProcess.start("up", "--data", data.toString())) {
      attune.await("the platform runs", LIMIT);
      List<ProcessHandle> processes = attune.responsibleFor(data);

      AttuneProcess.part(data, "serving").destroyForcibly();
      assertThat(attune.await("serving ended", LIMIT))
          .contains("signal 9")
          .contains("starting it again");
      attune.await("serving is ready", LIMIT);

      try (AttuneProcess second = AttuneProcess.start("up", "--data", data.toString())) {
        assertThat(second.awaitEnd(LIMIT)).contains("another launcher uses");
        assertThat(second.process().exitValue()).isEqualTo(1);
      }

      ProcessHandle restarted = AttuneProcess.part(data, "serving");
      assertThat(processes).doesNotContain(restarted);
      attune.process().destroyForcibly().waitFor();
      awaitEnds(processes);
      awaitEnds(List.of(restarted));
    }
  }

  @Test
  void aPartThatDiesAgainAndAgainStopsEverything() throws Exception {
    Path data = folder.resolve("data");
    try (AttuneProcess attune = AttuneProcess.start("up", "--data", data.toString())) {
      attune.await("the platform runs", LIMIT);
      List<ProcessHandle> processes = attune.responsibleFor(data);

      for (int deaths = 1; deaths <= 4; deaths++) {
        AttuneProcess.part(data, "kafka").destroyForcibly();
        if (deaths < 4) {
          attune.await("kafka is ready", LIMIT);
        }
      }

      assertThat(attune.awaitEnd(LIMIT)).contains("that is 4 times within two minutes");
      assertThat(attune.process().exitValue()).isEqualTo(1);
      awaitEnds(processes);
    }
  }

  @Test
  void aTerminatedLauncherStopsEverything() throws Exception {
    Path data = folder.resolve("data");
    try (AttuneProcess attune = AttuneProcess.start("up", "--data", data.toString())) {
      attune.await("the platform runs", LIMIT);
      List<ProcessHandle> processes = attune.responsibleFor(data);

      // Process.destroy would close the pipe that the launcher still writes to.
      attune.process().toHandle().destroy();

      assertThat(attune.awaitEnd(LIMIT)).doesNotContain("while stopping");
      assertThat(attune.process().exitValue()).isEqualTo(128 + 15);
      awaitEnds(processes);
    }
  }

  private static void awaitEnds(List<ProcessHandle> processes) throws Exception {
    for (ProcessHandle process : processes) {
      process.onExit().get(LIMIT.toSeconds(), TimeUnit.SECONDS);
    }
  }
}
