package io.attune.training.worker;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attune.common.v1.ErrorCode;
import io.attune.engine.EngineException;
import io.attune.platform.error.ErrorCodes;
import io.attune.platform.error.Loggable;
import io.attune.platform.error.PlatformException;
import io.attune.platform.lifecycle.ParentWatch;
import io.attune.platform.telemetry.TraceParent;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.jboss.logging.Logger;

/**
 * Main class of a job's process. Its one argument is the job's folder. Standard output carries
 * {@link WorkerMessage}s and nothing else; standard input carries nothing, and its end is the end
 * of this process.
 */
public final class Worker {
  private static final Logger LOG = Logger.getLogger(Worker.class);
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int FAILED = 2;
  private static final int STOPPED = 3;

  private final PrintStream parent;
  private final StopSignal stop;

  private Worker(PrintStream parent, StopSignal stop) {
    this.parent = parent;
    this.stop = stop;
  }

  /** Runs the job in the folder that the one argument names. */
  public static void main(String[] arguments) throws IOException {
    PrintStream parent = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    // Whatever a library prints must not be taken for a message.
    System.setOut(System.err);
    StopSignal stop = new StopSignal();
    // The watch itself halts this process if a step takes too long: checkpoints appear whole.
    ParentWatch.start(System.in, stop::ask, StopSignal.GRACE);
    Runtime.getRuntime().addShutdownHook(new Thread(stop::askAndWait, "stop-between-steps"));
    int status;
    try {
      status = new Worker(parent, stop).run(new JobFolder(Path.of(arguments[0])));
    } finally {
      stop.ended();
    }
    System.exit(status);
  }

  private int run(JobFolder folder) throws IOException {
    // By which the service's traces and this process's log are found from each other.
    LOG.infof("job begins traceparent=%s", System.getenv(TraceParent.ENVIRONMENT));
    // A worker of a service that was just killed may live for a moment: two must not write here.
    try {
      folder.alone(() -> new WorkerRun(folder.readOrder(), folder, this::say, stop).run());
      return 0;
    } catch (PlatformException e) {
      return fail(e.code(), e);
    } catch (EngineException e) {
      if (e.reason() == EngineException.Reason.CANCELLED) {
        // Nothing to tell: whoever asked knows, and to anybody else the job is as after a crash.
        LOG.infof("stopped: %s", e.getMessage());
        return STOPPED;
      }
      return fail(code(e.reason()), e);
    }
  }

  private int fail(ErrorCode code, RuntimeException reason) {
    LOG.errorf(Loggable.of(reason), "the job cannot be done: %s", ErrorCodes.reason(code));
    say(new WorkerMessage.Failed(code.name(), reason.getMessage()));
    return FAILED;
  }

  private void say(WorkerMessage message) {
    try {
      parent.println(JSON.writeValueAsString(message));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a message has no JSON form", e);
    }
  }

  static ErrorCode code(EngineException.Reason reason) {
    return switch (reason) {
      case INVALID_ARGUMENT, UNSUPPORTED, TOO_LONG -> ErrorCode.ERROR_CODE_INVALID_ARGUMENT;
      case INCOMPATIBLE -> ErrorCode.ERROR_CODE_INCOMPATIBLE;
      case CORRUPT -> ErrorCode.ERROR_CODE_CORRUPT;
      case IO -> ErrorCode.ERROR_CODE_UNAVAILABLE;
      case TOO_LITTLE_DATA -> ErrorCode.ERROR_CODE_TOO_LITTLE_DATA;
      case DIVERGED -> ErrorCode.ERROR_CODE_DIVERGED;
      case OVERLOADED -> ErrorCode.ERROR_CODE_OVERLOADED;
      case CANCELLED -> ErrorCode.ERROR_CODE_CANCELLED;
    };
  }
}
