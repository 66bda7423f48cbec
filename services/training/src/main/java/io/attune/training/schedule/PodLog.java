package io.attune.training.schedule;

import io.attune.platform.error.Loggable;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.LogWatch;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.concurrent.CompletionException;
import org.jboss.logging.Logger;

/**
 * What a pod writes. Kubernetes has one log for both outputs of a process: messages are passed on,
 * and all else goes to the worker's log file, where a forked worker's standard error goes.
 */
final class PodLog {
  private static final Logger LOG = Logger.getLogger(PodLog.class);

  private final KubernetesClient cluster;
  private final String container;
  private final MessageLines messages;
  private final Path file;

  PodLog(KubernetesClient cluster, String container, MessageLines messages, Path file) {
    this.cluster = cluster;
    this.container = container;
    this.messages = messages;
    this.file = file;
  }

  /** A pod's log, from its first line. */
  Reading of(String pod) {
    return new Reading(pod);
  }

  /** How far a pod's log was read. */
  final class Reading {
    private final String pod;
    private Instant last = Instant.EPOCH;
    private int linesAtLast;

    private Reading(String pod) {
      this.pod = pod;
    }

    /** Reads lines that were not read before, as they come, until the stream ends or breaks. */
    void read() {
      try (LogWatch watch = open();
          BufferedReader lines =
              new BufferedReader(
                  new InputStreamReader(watch.getOutput(), StandardCharsets.UTF_8))) {
        // Since a time means since its second: what was read in it comes again.
        Instant from = last;
        int again = linesAtLast;
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
          int space = Math.max(line.indexOf(' '), 0);
          Instant time = time(line.substring(0, space));
          if (time.isBefore(from) || (time.equals(from) && again-- > 0)) {
            continue;
          }
          linesAtLast = time.equals(last) ? linesAtLast + 1 : 1;
          last = time;
          take(line.substring(space + 1));
        }
      } catch (KubernetesClientException | CompletionException | IOException e) {
        LOG.debugf(Loggable.of(e), "the log of a pod cannot be read now pod=%s", pod);
      }
    }

    private LogWatch open() {
      var log = cluster.pods().withName(pod).inContainer(container).usingTimestamps();
      return last.equals(Instant.EPOCH)
          ? log.watchLog()
          : log.sinceTime(last.toString()).watchLog();
    }

    private void take(String line) {
      if (messages.tell(line)) {
        return;
      }
      try {
        Files.writeString(file, line + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
      } catch (IOException e) {
        // The job needs its log less than it needs to be heard.
        LOG.warnf(Loggable.of(e), "a line of a worker's log is lost pod=%s", pod);
      }
    }

    private static Instant time(String text) {
      try {
        return Instant.parse(text);
      } catch (DateTimeParseException e) {
        return Instant.EPOCH;
      }
    }
  }
}
