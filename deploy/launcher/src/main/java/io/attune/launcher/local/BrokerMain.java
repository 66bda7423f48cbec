package io.attune.launcher.local;

import java.io.IOException;
import java.io.InputStream;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import kafka.tools.StorageTool;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Exit;
import org.apache.kafka.common.utils.Time;

/**
 * Kafka, in a process of its own because it ends its process on fatal errors. Formats its storage
 * at the first start, and ends when standard input does: that is when the launcher is gone.
 */
final class BrokerMain {
  private static final long STOP_MILLIS = 10_000;

  private BrokerMain() {}

  /** Takes the path of the broker's properties file. */
  public static void main(String[] args) throws IOException {
    Path file = Path.of(args[0]);
    Properties properties = new Properties();
    try (Reader reader = Files.newBufferedReader(file)) {
      properties.load(reader);
    }
    Path logs = Path.of(properties.getProperty("log.dirs"));
    if (!Files.exists(logs.resolve("meta.properties"))) {
      String[] format = {"format", "-t", Uuid.randomUuid().toString(), "-c", file.toString()};
      int status = StorageTool.execute(format, System.out);
      if (status != 0) {
        throw new IOException("formatting " + logs + " failed with status " + status);
      }
    }
    KafkaRaftServer server = new KafkaRaftServer(KafkaConfig.fromProps(properties), Time.SYSTEM);
    server.startup();
    Thread watch = new Thread(() -> stopAtEndOf(System.in, server), "launcher-watch");
    watch.setDaemon(true);
    watch.start();
    server.awaitShutdown();
  }

  private static void stopAtEndOf(InputStream in, KafkaRaftServer server) {
    try {
      while (in.read() >= 0) {
        // what the launcher writes is of no interest, only that it still holds the pipe
      }
    } catch (IOException e) {
      // a broken pipe says the same as its end
    }
    Thread halt =
        new Thread(
            () -> {
              try {
                Thread.sleep(STOP_MILLIS);
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
              Exit.halt(1);
            },
            "stop-limit");
    halt.setDaemon(true);
    halt.start();
    server.shutdown();
  }
}
