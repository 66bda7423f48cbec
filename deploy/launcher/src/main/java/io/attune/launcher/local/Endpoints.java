package io.attune.launcher.local;

import java.util.ArrayList;
import java.util.List;

/**
 * Where the platform's parts listen, all on 127.0.0.1.
 *
 * @param servingReplicas HTTP and gRPC port of each replica of serving
 * @param ingestion likewise of ingestion, and so on for the other services
 */
public record Endpoints(
    List<Integer> servingReplicas,
    int ingestion,
    int reward,
    int training,
    int issuer,
    int kafka,
    int kafkaController,
    int postgres) {

  public Endpoints {
    servingReplicas = List.copyOf(servingReplicas);
  }

  /** The wanted ports, or the next free ones; more replicas of serving come after all services. */
  static Endpoints choose(int servingReplicas) {
    Ports ports = new Ports();
    List<Integer> serving = new ArrayList<>();
    serving.add(ports.take(ServiceKind.SERVING.defaultPort()));
    int ingestion = ports.take(ServiceKind.INGESTION.defaultPort());
    int reward = ports.take(ServiceKind.REWARD.defaultPort());
    int training = ports.take(ServiceKind.TRAINING.defaultPort());
    while (serving.size() < servingReplicas) {
      serving.add(ports.take(ServiceKind.TRAINING.defaultPort() + serving.size()));
    }
    return new Endpoints(
        serving,
        ingestion,
        reward,
        training,
        ports.take(8180),
        ports.take(9092),
        ports.take(9093),
        ports.take(5433));
  }

  /** The port of serving that the launcher and its user ask. */
  public int serving() {
    return servingReplicas.get(0);
  }

  /** The name of each replica of serving, which its events have. */
  public List<String> servingNames() {
    return ServiceReplica.all(servingReplicas.size()).stream()
        .filter(replica -> replica.kind() == ServiceKind.SERVING)
        .map(ServiceReplica::id)
        .toList();
  }

  int port(ServiceReplica service) {
    return switch (service.kind()) {
      case SERVING -> servingReplicas.get(service.number() - 1);
      case INGESTION -> ingestion;
      case REWARD -> reward;
      case TRAINING -> training;
    };
  }

  /** A service's URL. */
  String url(ServiceReplica service) {
    return "http://127.0.0.1:" + port(service);
  }

  /** Kafka's bootstrap address. */
  public String bootstrap() {
    return "127.0.0.1:" + kafka;
  }
}
