package io.attune.launcher.local;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Keycloak's programs, which Maven has brought and unpacked: the system property {@code
 * attune.keycloak} names their folder. All data folders share them.
 */
record KeycloakDistribution(Path folder) {
  private static final String PROPERTY = "attune.keycloak";

  /** What is fixed before Keycloak starts; it is made anew when this changes. */
  private static final List<String> BUILD_OPTIONS =
      List.of("--db=dev-file", "--health-enabled=false", "--metrics-enabled=false");

  /**
   * Where it lies.
   *
   * @throws LauncherException when Maven has not brought it
   */
  static KeycloakDistribution find() {
    String folder = System.getProperty(PROPERTY);
    if (folder == null || !Files.exists(runner(Path.of(folder)))) {
      throw new LauncherException(
          "Keycloak is not there"
              + (folder == null ? "" : " (" + folder + ")")
              + ": start this by `./attune ... --keycloak` in the checkout, which has Maven bring"
              + " it");
    }
    return new KeycloakDistribution(Path.of(folder).toAbsolutePath().normalize());
  }

  Path runner() {
    return runner(folder);
  }

  private static Path runner(Path folder) {
    return folder.resolve("lib/quarkus-run.jar");
  }

  /** Whether {@link #prepare} has been done. */
  boolean prepared() {
    byte[] done = Secrets.readOrNull(marker());
    return done != null && new String(done, UTF_8).equals(marking());
  }

  /**
   * Compiles its configuration into it, as {@code kc.sh build} does: half a minute, once. One
   * launcher at a time does it.
   */
  void prepare(Path logs) {
    try (FileChannel channel =
            FileChannel.open(
                folder.resolve("attune.lock"),
                StandardOpenOption.CREATE,
                StandardOpenOption.WRITE);
        var lock = channel.lock()) {
      if (prepared()) {
        return;
      }
      List<String> line = new ArrayList<>(command(folder));
      line.add("build");
      line.addAll(BUILD_OPTIONS);
      ChildProcess build = ChildProcess.start("keycloak-build", line, Map.of(), logs);
      int status = build.onExit().join().exitValue();
      if (status != 0) {
        throw new LauncherException("Keycloak cannot be prepared, see " + build.log());
      }
      Secrets.write(marker(), marking().getBytes(UTF_8));
    } catch (IOException e) {
      throw new LauncherException("Keycloak cannot be prepared in " + folder, e);
    }
  }

  /**
   * The beginning of a command line: everything but Keycloak's own arguments. Not kc.sh, which
   * stays between the launcher and Keycloak.
   *
   * @param home what Keycloak takes for its folder
   */
  List<String> command(Path home) {
    return List.of(
        JavaCommand.executable(),
        "-Xmx384m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-XX:+ExitOnOutOfMemoryError",
        "--add-opens=java.base/java.util=ALL-UNNAMED",
        "--add-opens=java.base/java.util.concurrent=ALL-UNNAMED",
        "--add-opens=java.base/java.security=ALL-UNNAMED",
        "--add-opens=java.base/java.lang=ALL-UNNAMED",
        "--enable-native-access=ALL-UNNAMED",
        "-Djava.util.logging.manager=org.jboss.logmanager.LogManager",
        "-Djava.util.concurrent.ForkJoinPool.common.threadFactory="
            + "io.quarkus.bootstrap.forkjoin.QuarkusForkJoinWorkerThreadFactory",
        "-Dpicocli.disable.closures=true",
        "-Dkc.home.dir=" + home,
        "-cp",
        KeycloakMain.location() + ":" + runner(),
        KeycloakMain.class.getName());
  }

  private Path marker() {
    return folder.resolve("attune.prepared");
  }

  private static String marking() {
    return String.join(" ", BUILD_OPTIONS) + "\n";
  }
}
