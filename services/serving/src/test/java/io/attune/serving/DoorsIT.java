package io.attune.serving;

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

  private static final Set<String> CALLERS = Set.of(Roles.RATER, Roles.VIEWER);
  private static final String SERVICE = "attune.serving.v1.InferenceService/";

  @Override
  protected Map<String, Set<String>> routes() {
    return Map.of(
        "GET /v1/models", CALLERS,
        "POST /v1/completions", CALLERS,
        "POST /v1/chat/completions", CALLERS);
  }

  @Override
  protected Map<String, Set<String>> methods() {
    return Map.of(
        SERVICE + "Generate", CALLERS,
        SERVICE + "GenerateBatch", CALLERS,
        SERVICE + "ListModels", CALLERS);
  }
}
