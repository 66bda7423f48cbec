package io.attune.serving;

import static org.awaitility.Awaitility.await;

import io.attune.platform.identity.Tenant;
import io.attune.serving.generate.Models;
import io.attune.testkit.EveryDoorIsLocked;
import io.attune.testkit.Infrastructure;
import io.quarkus.test.common.ResourceArg;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.Map;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.Readiness;
import org.junit.jupiter.api.BeforeEach;

@QuarkusTest
@WithTestResource(
    value = Infrastructure.class,
    initArgs = @ResourceArg(name = "database", value = "false"))
class DoorsIT extends EveryDoorIsLocked {

  private static final String LINE = "owned";

  @Inject Models models;

  @Inject @Readiness Lines readiness;

  /** Before it knows its lines, a service says of all that it is not ready. */
  @BeforeEach
  void awaitReady() {
    await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> readiness.call().getStatus() == HealthCheckResponse.Status.UP);
  }

  @Override
  protected Map<String, String> thingsOf(String tenant) {
    Tenant owner = new Tenant(tenant);
    try (Fixture fixture = new Fixture()) {
      var artifact = fixture.publish(owner, Fixture.ADAPTERS.resolve("one"));
      fixture.release(owner, LINE, 1, Fixture.adapter(LINE, 1, artifact));
    }
    await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> models.list(owner).stream().anyMatch(entry -> entry.name().equals(LINE)));
    return Map.of("line", LINE);
  }
}
