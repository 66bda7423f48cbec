package io.attune.launcher.local;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * A process that ends with the launcher: it holds the reading end of a pipe, and ends when the
 * launcher, in whatever way, lets go of the writing end. Its output goes to a log file, beside
 * which a file with the same name and the ending .pid holds its process id.
 */
final class ChildProcess implements RunningProcess {
  private final String name;
  private final Process process;
  private final Path log;

  private ChildProcess(String name, Process process, Path log) {
    this.name = name;
    this.process = process;
    this.log = log;
  }

  /**
   * Starts it.
   *
   * @param environment added to the launcher's own; secrets go here, since arguments can be read by
   *     everybody
   */
  static ChildProcess start(
      String name, List<String> command, Map<String, String> environment, Path logs) {
    // Ctrl-C goes to every process of the terminal. The children must not hear it, or they would
    // stop in any order; the shell turns it off and then becomes the child, with the same pid.
    List<String> shielded =
        new ArrayList<>(List.of("sh", "-c", "trap '' INT HUP; exec \"$@\"", name));
    shielded.addAll(command);
    Path log = logs.resolve(name + ".log");
    ProcessBuilder builder = new ProcessBuilder(shielded);
    builder.environment().putAll(environment);
    builder.redirectErrorStream(true);
    builder.redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
    try {
      Process process = builder.start();
      Files.writeString(logs.resolve(name + ".pid"), process.pid() + "\n");
      return new ChildProcess(name, process, log);
    } catch (IOException e) {
      throw new LauncherException("cannot start " + name + ": " + e.getMessage(), e);
    }
  }

  String name() {
    return name;
  }

  @Override
  public long pid() {
    return process.pid();
  }

  boolean alive() {
    return process.isAlive();
  }

  @Override
  public Path log() {
    return log;
  }

  /** The status it ended with, in words. */
  @Override
  public String ending() {
    int status = process.exitValue();
    return status > 128 ? "signal " + (status - 128) : "status " + status;
  }

  @Override
  public CompletableFuture<Process> onExit() {
    return process.onExit();
  }

  /** Asks it to end, by letting go of its pipe; kills it after the limit. */
  @Override
  public void stop(long limitMillis) {
    try {
      process.getOutputStream().close();
    } catch (IOException e) {
      // it is gone already
    }
    try {
      if (!process.waitFor(limitMillis, TimeUnit.MILLISECONDS)) {
        process.destroyForcibly().waitFor();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
