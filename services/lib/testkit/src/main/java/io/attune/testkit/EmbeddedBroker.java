package io.attune.testkit;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Properties;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import kafka.tools.StorageTool;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Time;

/** A real Kafka broker and controller (KRaft) inside this JVM. */
public final class EmbeddedBroker implements AutoCloseable {

  private static EmbeddedBroker shared;

  private final KafkaRaftServer server;
  private final Path folder;
  private final String bootstrapServers;

  private EmbeddedBroker(KafkaRaftServer server, Path folder, String bootstrapServers) {
    this.server = server;
    this.folder = folder;
    this.bootstrapServers = bootstrapServers;
  }

  /** The broker that all tests of this JVM share; it ends with the JVM. */
  public static synchronized EmbeddedBroker shared() {
    if (shared == null) {
      shared = start();
      // In this order: a broker whose folder goes away halts the JVM, and with it a run that
      // passed.
      Runtime.getRuntime().addShutdownHook(new Thread(shared::close));
    }
    return shared;
  }

  /** A broker of its own, for tests that stop it. Topics are made when first used. */
  public static EmbeddedBroker start() {
    return start(Map.of());
  }

  /**
   * A broker with more settings, or others.
   *
   * @param more by name; the port of a further listener may be {@link #freePort}
   */
  public static EmbeddedBroker start(Map<String, String> more) {
    try {
      Path folder = Files.createTempDirectory("attune-broker");
      int port = freePort();
      Properties settings = settings(folder, port, freePort());
      more.forEach((name, value) -> settings.merge(name, value, EmbeddedBroker::joinedWhereAList));
      Path file = folder.resolve("server.properties");
      try (var out = Files.newOutputStream(file)) {
        settings.store(out, null);
      }
      format(file);
      var server = new KafkaRaftServer(KafkaConfig.fromProps(settings), Time.SYSTEM);
      server.startup();
      return new EmbeddedBroker(server, folder, "127.0.0.1:" + port);
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }

  public String bootstrapServers() {
    return bootstrapServers;
  }

  @Override
  public void close() {
    server.shutdown();
    server.awaitShutdown();
    Folders.delete(folder);
  }

  private static void format(Path settings) {
    var said = new ByteArrayOutputStream();
    String[] command = {"format", "-t", Uuid.randomUuid().toString(), "-c", settings.toString()};
    int code = StorageTool.execute(command, new PrintStream(said, true, StandardCharsets.UTF_8));
    if (code != 0) {
      throw new IllegalStateException(
          "Kafka's storage could not be formatted: " + said.toString(StandardCharsets.UTF_8));
    }
  }

  private static Properties settings(Path folder, int port, int controllerPort) {
    String[][] pairs = {
      {"process.roles", "broker,controller"},
      {"node.id", "1"},
      {"controller.quorum.voters", "1@127.0.0.1:" + controllerPort},
      {
        "listeners",
        "PLAINTEXT://127.0.0.1:%d,CONTROLLER://127.0.0.1:%d".formatted(port, controllerPort)
      },
      {"advertised.listeners", "PLAINTEXT://127.0.0.1:" + port},
      {"controller.listener.names", "CONTROLLER"},
      {"listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT"},
      {"inter.broker.listener.name", "PLAINTEXT"},
      {"log.dirs", folder.resolve("data").toString()},
      {"num.partitions", "3"},
      {"num.io.threads", "2"},
      {"num.network.threads", "1"},
      {"offsets.topic.replication.factor", "1"},
      {"offsets.topic.num.partitions", "1"},
      {"transaction.state.log.replication.factor", "1"},
      {"transaction.state.log.min.isr", "1"},
      {"transaction.state.log.num.partitions", "1"},
      {"share.coordinator.state.topic.replication.factor", "1"},
      {"share.coordinator.state.topic.min.isr", "1"},
      {"share.coordinator.state.topic.num.partitions", "1"},
      {"group.initial.rebalance.delay.ms", "0"},
      {"log.cleaner.dedupe.buffer.size", "2097152"},
      {"auto.create.topics.enable", "true"},
    };
    Properties settings = new Properties();
    for (String[] pair : pairs) {
      settings.setProperty(pair[0], pair[1]);
    }
    return settings;
  }

  /** Listeners are added to those that there are; everything else is replaced. */
  private static Object joinedWhereAList(Object before, Object more) {
    return before.toString().contains("://") || before.toString().contains("CONTROLLER:")
        ? before + "," + more
        : more;
  }

  /** A port of loopback on which nobody listens now. */
  public static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }
}
