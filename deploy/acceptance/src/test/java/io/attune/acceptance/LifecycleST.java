package io.attune.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What happens when processes die. */
@Timeout(420)
class LifecycleST {
  @TempDir Path folder;

  @Test
  void aKilledServiceIsReportedAndRestartedAndAKilledLauncherLeavesNoProcess() throws Exception {
    Path data = folder.resolve("data");
    try (AttuneProcess attune = AttuneProcess.start("up", "--data", data.toString())) {
      attune.await("the platform runs");
      List<ProcessHandle> processes = attune.responsibleFor(data);

      attune.service("serving").destroyForcibly();
      assertThat(attune.await("serving ended")).contains("signal 9").contains("starting it again");
      attune.await("serving is ready");

      try (AttuneProcess second = AttuneProcess.start("up", "--data", data.toString())) {
        assertThat(second.awaitEnd()).contains("another launcher uses");
        assertThat(second.process().exitValue()).isEqualTo(1);
      }

      ProcessHandle restarted = attune.service("serving");
      attune.process().destroyForcibly().waitFor();
      for (ProcessHandle process : processes) {
        process.onExit().get(60, TimeUnit.SECONDS);
      }
      restarted.onExit().get(60, TimeUnit.SECONDS);
    }
  }

  @Test
  void lostInfrastructureStopsEverything() throws Exception {
    Path data = folder.resolve("data");
    try (AttuneProcess attune = AttuneProcess.start("up", "--data", data.toString())) {
      attune.await("the platform runs");
      List<ProcessHandle> processes = attune.responsibleFor(data);
      attune
          .process()
          .descendants()
          .filter(p -> p.info().commandLine().orElse("").contains("BrokerMain"))
          .forEach(ProcessHandle::destroyForcibly);
      assertThat(attune.awaitEnd()).contains("Kafka ended");
      assertThat(attune.process().exitValue()).isEqualTo(1);
      assertThat(processes).noneMatch(ProcessHandle::isAlive);
    }
  }
}
