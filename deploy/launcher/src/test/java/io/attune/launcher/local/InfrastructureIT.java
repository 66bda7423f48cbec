package io.attune.launcher.local;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What happens to Kafka and PostgreSQL when the launcher ends, in whatever way. */
@Timeout(180)
class InfrastructureIT {
  @TempDir Path folder;
  private Process launcher;
  private BufferedReader output;

  @AfterEach
  void end() {
    launcher.destroyForcibly();
  }

  @Test
  void killedLauncherLeavesNoProcessAndTheNextOneStartsOnTheSameData() throws Exception {
    List<ProcessHandle> first = start();
    launcher.destroyForcibly().waitFor();
    for (ProcessHandle process : first) {
      process.onExit().get(30, TimeUnit.SECONDS);
    }
    List<ProcessHandle> second = start();
    launcher.getOutputStream().write('\n');
    launcher.getOutputStream().flush();
    assertThat(output.readLine()).isEqualTo("STOPPED");
    assertThat(launcher.waitFor()).isZero();
    assertThat(second).noneMatch(ProcessHandle::isAlive);
  }

  private List<ProcessHandle> start() throws IOException {
    Path errors = folder.resolve("launcher.err");
    launcher =
        new ProcessBuilder(
                JavaCommand.executable(),
                "-Xmx128m",
                "-cp",
                System.getProperty("java.class.path"),
                InfrastructureMain.class.getName(),
                folder.resolve("data").toString())
            .redirectError(ProcessBuilder.Redirect.appendTo(errors.toFile()))
            .start();
    output = launcher.inputReader(StandardCharsets.UTF_8);
    String line = output.readLine();
    assertThat(line).as(() -> read(errors)).isNotNull().startsWith("PIDS ");
    List<ProcessHandle> processes = new ArrayList<>();
    for (String pid : line.substring("PIDS ".length()).split(" ")) {
      processes.add(ProcessHandle.of(Long.parseLong(pid)).orElseThrow());
    }
    return processes;
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      return e.toString();
    }
  }
}
