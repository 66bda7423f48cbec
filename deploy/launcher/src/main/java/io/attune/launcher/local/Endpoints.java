package io.attune.launcher.local;

/**
 * Where the platform's parts listen, all on 127.0.0.1.
 *
 * @param serving HTTP and gRPC port of serving, and so on for the other services
 */
public record Endpoints(
    int serving,
    int ingestion,
    int reward,
    int training,
    int issuer,
    int kafka,
    int kafkaController,
    int postgres) {

  /** The wanted ports, or the next free ones. */
  static Endpoints choose() {
    Ports ports = new Ports();
    return new Endpoints(
        ports.take(ServiceKind.SERVING.defaultPort()),
        ports.take(ServiceKind.INGESTION.defaultPort()),
        ports.take(ServiceKind.REWARD.defaultPort()),
        ports.take(ServiceKind.TRAINING.defaultPort()),
        ports.take(8180),
        ports.take(9092),
        ports.take(9093),
        ports.take(5433));
  }

  int port(ServiceKind service) {
    return switch (service) {
      case SERVING -> serving;
      case INGESTION -> ingestion;
      case REWARD -> reward;
      case TRAINING -> training;
    };
  }

  /** A service's URL. */
  String url(ServiceKind service) {
    return "http://127.0.0.1:" + port(service);
  }

  /** Kafka's bootstrap address. */
  public String bootstrap() {
    return "127.0.0.1:" + kafka;
  }
}
