package io.attune.launcher.local;

import java.util.ArrayList;
import java.util.List;

/**
 * One of the processes of a service.
 *
 * @param number from 1
 */
record ServiceReplica(ServiceKind kind, int number) {

  /** All that run, in the order in which health is shown. */
  static List<ServiceReplica> all(int servingReplicas) {
    List<ServiceReplica> all = new ArrayList<>();
    for (ServiceKind kind : ServiceKind.values()) {
      int replicas = kind == ServiceKind.SERVING ? servingReplicas : 1;
      for (int number = 1; number <= replicas; number++) {
        all.add(new ServiceReplica(kind, number));
      }
    }
    return all;
  }

  /** Its name: in logs, of its files, and among the others of its service. */
  String id() {
    return number == 1 ? kind.id() : kind.id() + "-" + number;
  }
}
