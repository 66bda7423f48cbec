package io.attune.launcher.local;

import java.io.IOException;
import java.nio.file.Path;

/**
 * A launcher without services, for {@link InfrastructureIT}: says which pids it is responsible for.
 */
final class InfrastructureMain {
  private InfrastructureMain() {}

  public static void main(String[] args) throws IOException {
    DataFolder data = DataFolder.open(Path.of(args[0]));
    Ports ports = new Ports();
    int kafka = ports.take(19092);
    ChildProcess broker = Broker.start(data, kafka, ports.take(19192));
    Database database = Database.start(data, Path.of(args[0], "../cache"), ports.take(15433));
    Topics.create("127.0.0.1:" + kafka, 1, broker, 60);
    System.out.println("PIDS " + broker.pid() + " " + database.pid());
    if (System.in.read() < 0) {
      throw new IOException("nobody is there to say when to stop");
    }
    broker.stop(15_000);
    database.close();
    data.close();
    System.out.println("STOPPED");
  }
}
