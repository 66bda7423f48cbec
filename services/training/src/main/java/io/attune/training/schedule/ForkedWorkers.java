package io.attune.training.schedule;

import io.attune.platform.error.Loggable;
import io.attune.platform.telemetry.TraceParent;
import io.attune.training.TrainingConfig;
import io.attune.training.worker.JobFolder;
import io.attune.training.worker.Worker;
import io.attune.training.worker.WorkerMessage;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jboss.logging.Logger;

/**
 * Runs each job in a JVM of its own, with this service's classes, so that a job's memory, crashes
 * and native library are not the service's. The child holds the other end of its standard input: it
 * ends when this process ends, however that ends.
 */
public class ForkedWorkers implements WorkerLauncher {
  private static final Logger LOG = Logger.getLogger(ForkedWorkers.class);

  private final TrainingConfig.Worker config;

  public ForkedWorkers(TrainingConfig config) {
    this.config = config.worker();
  }

  @Override
  public RunningWorker launch(JobFolder folder, Consumer<WorkerMessage> listener) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-Xmx" + config.heap());
    command.add("-XX:+UseSerialGC");
    command.add("-XX:+ExitOnOutOfMemoryError");
    // Without the service's logging set-up, only Java's own logging writes to standard error.
    command.add("-Dorg.jboss.logging.provider=jdk");
    // Nothing may leave the machine: the tensor library would report its use otherwise.
    command.add("-Dai.djl.offline=true");
    config.jvmOptions().ifPresent(command::addAll);
    command.add("-cp");
    command.add(classPath());
    command.add(Worker.class.getName());
    command.add(folder.root().toAbsolutePath().toString());
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectError(ProcessBuilder.Redirect.appendTo(folder.log().toFile()));
    builder.environment().put("OPT_OUT_TRACKING", "true");
    String traceparent = TraceParent.current();
    if (traceparent != null) {
      builder.environment().put(TraceParent.ENVIRONMENT, traceparent);
    }
    // Of several arenas of malloc each keeps what tensors leave free for itself.
    builder.environment().putIfAbsent("MALLOC_ARENA_MAX", "1");
    // OpenMP's threads that wait by looking starve beside other processes: docs/performance.md.
    builder.environment().putIfAbsent("GOMP_SPINCOUNT", "1000");
    try {
      return new Forked(builder.start(), listener);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot start the worker process in " + folder.root(), e);
    }
  }

  /**
   * This process's own class path. A packaged service is started from a jar that only names others
   * to a class loader of its own, so its folder is listed instead.
   */
  static String classPath() {
    String own = System.getProperty("java.class.path");
    Path first = Path.of(own.split(File.pathSeparator, 2)[0]).toAbsolutePath();
    if (!first.endsWith("quarkus-run.jar")) {
      return own;
    }
    Path app = first.getParent();
    return String.join(
        File.pathSeparator,
        app.resolve("app").resolve("*").toString(),
        app.resolve("lib").resolve("main").resolve("*").toString(),
        app.resolve("lib").resolve("boot").resolve("*").toString());
  }

  private static final class Forked implements RunningWorker {
    private final Process process;
    private final CompletableFuture<Void> said;

    private Forked(Process process, Consumer<WorkerMessage> listener) {
      this.process = process;
      this.said = new CompletableFuture<>();
      Thread reader = new Thread(() -> read(listener), "worker-" + process.pid());
      reader.setDaemon(true);
      reader.start();
    }

    private void read(Consumer<WorkerMessage> listener) {
      MessageLines messages = new MessageLines(listener, id());
      try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
          if (!messages.tell(line)) {
            LOG.warnf("worker %d said something that is no message", process.pid());
          }
        }
      } catch (IOException e) {
        LOG.debugf(Loggable.of(e), "worker %d closed its output", process.pid());
      } finally {
        said.complete(null);
      }
    }

    @Override
    public int await() throws InterruptedException {
      int status = process.waitFor();
      said.join();
      return status;
    }

    @Override
    public void stop(Duration grace) {
      try {
        process.getOutputStream().close();
        if (!process.waitFor(grace.toMillis(), TimeUnit.MILLISECONDS)) {
          process.destroyForcibly();
        }
      } catch (IOException e) {
        process.destroyForcibly();
      } catch (InterruptedException e) {
        process.destroyForcibly();
        Thread.currentThread().interrupt();
      }
    }

    @Override
    public String id() {
      return Long.toString(process.pid());
    }
  }
}
