package io.attune.reward;

import io.attune.platform.identity.Roles;
import io.attune.testkit.EveryDoorIsLocked;
import io.attune.testkit.Infrastructure;
import io.quarkus.test.common.ResourceArg;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import java.util.Map;
import java.util.Set;

@QuarkusTest
@WithTestResource(
    value = Infrastructure.class,
    initArgs = @ResourceArg(name = "database", value = "false"))
class DoorsIT extends EveryDoorIsLocked {

  private static final Set<String> CALLERS = Set.of(Roles.TRAINER, Roles.VIEWER);

  @Override
  protected Map<String, Set<String>> routes() {
    return Map.of("POST /v1/score", CALLERS);
  }

  @Override
  protected Map<String, Set<String>> methods() {
    return Map.of("attune.reward.v1.RewardService/Score", CALLERS);
  }
}
