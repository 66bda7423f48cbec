package io.attune.ingestion;

import io.attune.platform.identity.Roles;
import io.attune.testkit.EveryDoorIsLocked;
import io.attune.testkit.Infrastructure;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import java.util.Map;
import java.util.Set;

@QuarkusTest
@WithTestResource(Infrastructure.class)
class DoorsIT extends EveryDoorIsLocked {

  private static final Set<String> SENDERS = Set.of(Roles.RATER, Roles.DATA_ENGINEER);
  private static final String SERVICE = "attune.feedback.v1.FeedbackService/";

  @Override
  protected Map<String, Set<String>> routes() {
    return Map.of(
        "POST /v1/feedback", SENDERS,
        "GET /v1/feedback/statistics", Set.of(Roles.VIEWER),
        "POST /v1/snapshots", Set.of(Roles.TRAINER),
        "GET /v1/snapshots", Set.of(Roles.VIEWER),
        "GET /v1/snapshots/{id}", Set.of(Roles.VIEWER));
  }

  @Override
  protected Map<String, Set<String>> methods() {
    return Map.of(
        SERVICE + "SubmitRatings", SENDERS,
        SERVICE + "CutSnapshot", Set.of(Roles.TRAINER),
        SERVICE + "GetStatistics", Set.of(Roles.VIEWER));
  }
}
