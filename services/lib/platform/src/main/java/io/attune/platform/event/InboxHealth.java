package io.attune.platform.event;

import io.quarkus.arc.properties.IfBuildProperty;
import jakarta.enterprise.context.ApplicationScoped;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.Readiness;

/** Not ready while a consumer cannot read or write. */
@Readiness
@ApplicationScoped
@IfBuildProperty(name = "quarkus.datasource.db-kind", stringValue = "postgresql")
public class InboxHealth implements HealthCheck {

  private final InboxConsumers consumers;

  InboxHealth(InboxConsumers consumers) {
    this.consumers = consumers;
  }

  @Override
  public HealthCheckResponse call() {
    var response = HealthCheckResponse.named("inbox-consumers").up();
    consumers
        .states()
        .forEach(
            (name, failing) -> {
              response.withData(name, failing ? "failing" : "reading");
              if (failing) {
                response.down();
              }
            });
    return response.build();
  }
}
