package io.attune.training.schedule;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attune.platform.error.Loggable;
import io.attune.training.worker.WorkerMessage;
import java.util.function.Consumer;
import org.jboss.logging.Logger;

/** The lines that a worker writes to its standard output, passed on as what they say. */
final class MessageLines {
  private static final Logger LOG = Logger.getLogger(MessageLines.class);
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Consumer<WorkerMessage> listener;
  private final String worker;

  /**
   * @param worker whose lines they are, for the log
   */
  MessageLines(Consumer<WorkerMessage> listener, String worker) {
    this.listener = listener;
    this.worker = worker;
  }

  /** Passes a line on; false where it is no message. */
  boolean tell(String line) {
    WorkerMessage message;
    try {
      message = JSON.readValue(line, WorkerMessage.class);
    } catch (JsonProcessingException e) {
      return false;
    }
    try {
      listener.accept(message);
    } catch (RuntimeException e) {
      // Progress that cannot be stored now must not end a run of hours.
      LOG.warnf(Loggable.of(e), "what worker %s said could not be taken", worker);
    }
    return true;
  }
}
