package io.attune.launcher.local;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** The services, in the order in which ports are given out and health is shown. */
enum ServiceKind {
  SERVING(8080, "512m", false, List.of(), List.of()),
  INGESTION(8081, "320m", true, List.of(), List.of()),
  REWARD(8082, "384m", false, List.of(), List.of()),
  TRAINING(8083, "320m", true, List.of("trainer", "service"), List.of("ingestion"));

  private final int defaultPort;
  private final String heap;
  private final boolean database;
  private final List<String> roles;
  private final List<String> calls;

  ServiceKind(
      int defaultPort, String heap, boolean database, List<String> roles, List<String> calls) {
    this.defaultPort = defaultPort;
    this.heap = heap;
    this.database = database;
    this.roles = roles;
    this.calls = calls;
  }

  /** Its folder under services/ and its name in logs. */
  String id() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Its client at the issuer. */
  String clientId() {
    return "attune-" + id();
  }

  int defaultPort() {
    return defaultPort;
  }

  /** Its Java heap as -Xmx takes it; models lie outside of it. */
  String heap() {
    return heap;
  }

  boolean usesDatabase() {
    return database;
  }

  /** What its own token lets it do at the other services. */
  List<String> roles() {
    return roles;
  }

  /** The services that its own token may be for, by their ids. */
  List<String> calls() {
    return calls;
  }

  /** The audience of tokens for it. */
  String audience() {
    return clientId();
  }

  /** Of tokens that all services accept. */
  static List<String> audiences() {
    return Arrays.stream(values()).map(ServiceKind::audience).toList();
  }
}
