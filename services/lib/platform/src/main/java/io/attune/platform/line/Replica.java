package io.attune.platform.line;

/** The name by which a process is told from the others of its service. */
public final class Replica {

  private Replica() {}

  /** The host's name, which is the pod's name in a cluster, and the process id. */
  public static String name() {
    String host = System.getenv().getOrDefault("HOSTNAME", "localhost");
    return host + "-" + ProcessHandle.current().pid();
  }
}
