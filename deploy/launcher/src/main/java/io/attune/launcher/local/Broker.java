package io.attune.launcher.local;

import java.io.IOException;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Properties;

/**
 * Kafka: one node that is broker and controller, with the topics of the contract.
 *
 * @param replicas of the service that has most; those of one service share partitions
 * @param more settings, by Kafka's names, beside the launcher's or instead of them
 */
record Broker(DataFolder data, int port, int controllerPort, int replicas, Map<String, String> more)
    implements Part {

  @Override
  public String id() {
    return "kafka";
  }

  @Override
  public String url() {
    return "127.0.0.1:" + port;
  }

  @Override
  public Run start() {
    Path folder = data.folder("kafka");
    Path file = folder.resolve("server.properties");
    StringWriter text = new StringWriter();
    try {
      Properties properties = properties(folder.resolve("log"));
      properties.putAll(more);
      properties.store(text, null);
    } catch (IOException e) {
      throw new LauncherException("cannot write " + file, e);
    }
    Secrets.write(file, text.toString().getBytes(StandardCharsets.UTF_8));
    List<String> command =
        List.of(
            JavaCommand.executable(),
            "-Xmx256m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            "-Dorg.slf4j.simpleLogger.showDateTime=true",
            "-cp",
            System.getProperty("java.class.path"),
            BrokerMain.class.getName(),
            file.toString());
    return new BrokerRun(
        ChildProcess.start(id(), command, Map.of(), data.folder("logs")), url(), replicas);
  }

  private Properties properties(Path log) {
    Properties p = new Properties();
    p.put("process.roles", "broker,controller");
    p.put("node.id", "1");
    p.put("controller.quorum.voters", "1@127.0.0.1:" + controllerPort);
    p.put("controller.listener.names", "CONTROLLER");
    p.put(
        "listeners", "PLAINTEXT://127.0.0.1:" + port + ",CONTROLLER://127.0.0.1:" + controllerPort);
    p.put("advertised.listeners", "PLAINTEXT://127.0.0.1:" + port);
    p.put("log.dirs", log.toString());
    p.put("auto.create.topics.enable", "false");
    p.put("num.partitions", "1");
    p.put("offsets.topic.num.partitions", "4");
    p.put("offsets.topic.replication.factor", "1");
    p.put("transaction.state.log.num.partitions", "4");
    p.put("transaction.state.log.replication.factor", "1");
    p.put("transaction.state.log.min.isr", "1");
    p.put("share.coordinator.state.topic.num.partitions", "1");
    p.put("share.coordinator.state.topic.replication.factor", "1");
    p.put("share.coordinator.state.topic.min.isr", "1");
    p.put("group.initial.rebalance.delay.ms", "0");
    p.put("log.cleaner.dedupe.buffer.size", "2097152");
    // After a kill -9 the controller waits for the old broker session to end.
    p.put("broker.session.timeout.ms", "3000");
    p.put("broker.heartbeat.interval.ms", "500");
    return p;
  }

  /** One run; ready when it has every topic. */
  private record BrokerRun(ChildProcess process, String bootstrap, int replicas) implements Run {
    @Override
    public boolean ready() throws InterruptedException {
      return process.alive() && Topics.create(bootstrap, replicas);
    }
  }
}
