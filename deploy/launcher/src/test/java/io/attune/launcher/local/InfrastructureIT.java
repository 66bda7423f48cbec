package io.attune.launcher.local;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.NewTopic;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What happens to Kafka and PostgreSQL when they, or the launcher, end in whatever way. */
@Timeout(180)
class InfrastructureIT {
  @TempDir Path folder;
  private Process launcher;
  private BufferedReader output;

  @AfterEach
  void end() throws Exception {
    launcher.destroyForcibly().waitFor();
    // What runs still writes to the folder that is deleted next.
    for (ProcessHandle process : processes()) {
      process.onExit().get(30, TimeUnit.SECONDS);
    }
  }

  @Test
  void killedLauncherLeavesNoProcessAndTheNextOneStartsOnTheSameData() throws Exception {
    start();
    List<ProcessHandle> first = processes();
    assertThat(first).hasSize(2);
    launcher.destroyForcibly().waitFor();
    for (ProcessHandle process : first) {
      process.onExit().get(30, TimeUnit.SECONDS);
    }
    start();
    List<ProcessHandle> second = processes();
    launcher.getOutputStream().write('\n');
    launcher.getOutputStream().flush();
    awaitLine("STOPPED");
    assertThat(launcher.waitFor()).isZero();
    assertThat(second).noneMatch(ProcessHandle::isAlive);
  }

  @Test
  void killedBrokerAndDatabaseAreStartedAgainWithWhatTheyHeld() throws Exception {
    List<String> ready = List.of(start().split(" ", -1));
    String kafka = ready.get(1);
    String jdbcUrl = ready.get(2);
    try (Admin admin = admin(kafka)) {
      admin.createTopics(Set.of(new NewTopic("kept", 1, (short) 1))).all().get();
    }
    run(jdbcUrl, "create schema kept; create table kept.kept as select 7 as n");
    List<ProcessHandle> first = processes();
    assertThat(first).hasSize(2);

    first.forEach(ProcessHandle::destroyForcibly);
    awaitLine("kafka ended (signal 9)", "postgres ended", "kafka is ready", "postgres is ready");

    assertThat(processes()).doesNotContainAnyElementsOf(first);
    try (Admin admin = admin(kafka)) {
      assertThat(admin.listTopics().names().get()).contains("kept");
    }
    try (Connection connection = DriverManager.getConnection(jdbcUrl);
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery("select n from kept.kept")) {
      assertThat(rows.next()).isTrue();
      assertThat(rows.getInt(1)).isEqualTo(7);
    }
  }

  private static Admin admin(String kafka) {
    return Admin.create(Map.of(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, kafka));
  }

  private static void run(String jdbcUrl, String sql) throws Exception {
    try (Connection connection = DriverManager.getConnection(jdbcUrl);
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  /** The line that says where both listen. */
  private String start() throws IOException {
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
    return awaitLine("READY ");
  }

  /** Reads on until every beginning of a line was seen, in any order; gives the last one. */
  private String awaitLine(String... beginnings) throws IOException {
    List<String> open = new ArrayList<>(List.of(beginnings));
    List<String> said = new ArrayList<>();
    while (true) {
      String line = output.readLine();
      assertThat(line)
          .as(() -> open + " not said: " + said + read(folder.resolve("launcher.err")))
          .isNotNull();
      said.add(line);
      open.removeIf(line::startsWith);
      if (open.isEmpty()) {
        return line;
      }
    }
  }

  /** Kafka and PostgreSQL, as far as they run. */
  private List<ProcessHandle> processes() throws IOException {
    List<ProcessHandle> processes = new ArrayList<>();
    for (String part : List.of("kafka", "postgres")) {
      Path pid = folder.resolve("data/logs/" + part + ".pid");
      if (Files.exists(pid)) {
        ProcessHandle.of(Long.parseLong(Files.readString(pid).strip())).ifPresent(processes::add);
      }
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
