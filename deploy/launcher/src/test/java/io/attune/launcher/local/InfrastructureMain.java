package io.attune.launcher.local;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** A launcher without services, for {@link InfrastructureIT}. */
final class InfrastructureMain {
  private InfrastructureMain() {}

  public static void main(String[] args) throws IOException {
    DataFolder data = DataFolder.open(Path.of(args[0]));
    Ports ports = new Ports();
    Broker broker = new Broker(data, ports.take(19092), ports.take(19192), 1, Map.of());
    Database database = new Database(data, Path.of(args[0], "../cache"), ports.take(15433));
    Supervisor supervisor =
        new Supervisor(List.of(broker, database), data.folder("logs"), new Lines());
    supervisor.start();
    supervisor.awaitReady(Duration.ofMinutes(2));
    System.out.println("READY " + broker.url() + " " + database.jdbcUrl());
    if (System.in.read() < 0) {
      throw new IOException("nobody is there to say when to stop");
    }
    supervisor.close();
    database.close();
    data.close();
    System.out.println("STOPPED");
  }

  private static final class Lines implements Progress {
    @Override
    public void stage(String name) {
      System.out.println(name);
    }

    @Override
    public void step(long done, long total, String detail) {
      System.out.println(detail);
    }

    @Override
    public void note(String message) {
      System.out.println(message);
    }
  }
}
