package io.attune.training;

import io.attune.platform.identity.Tenant;
import io.attune.testkit.EveryDoorIsLocked;
import io.attune.testkit.Infrastructure;
import io.attune.training.job.Jobs;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import jakarta.inject.Inject;
import java.util.Map;
import java.util.UUID;

@QuarkusTest
@TestProfile(NoWorkers.class)
@WithTestResource(Infrastructure.class)
@WithTestResource(Ingestion.class)
class DoorsIT extends EveryDoorIsLocked {
  @Inject Candidates candidates;
  @Inject Jobs jobs;

  @Override
  protected Map<String, String> thingsOf(String tenant) {
    Tenant owner = new Tenant(tenant);
    UUID job = candidates.policy(owner, "owned", 0);
    // So that whoever watches it comes to an end.
    jobs.cancel(owner, job.toString());
    return Map.of("id", job.toString(), "line", "owned", "version", "1");
  }
}
