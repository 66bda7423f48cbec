package io.attune.launcher.local;

import java.nio.file.Path;

/** A replica of a service, as the supervisor keeps it running. */
record ServicePart(ServiceReplica replica, ServiceCommand command, Endpoints endpoints, Path logs)
    implements Part {

  @Override
  public String id() {
    return replica.id();
  }

  @Override
  public String url() {
    return endpoints.url(replica);
  }

  @Override
  public Run start() {
    return ServiceProcess.start(replica, command, endpoints, logs);
  }
}
