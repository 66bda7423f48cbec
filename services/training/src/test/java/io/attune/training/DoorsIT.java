package io.attune.training;

import io.attune.platform.identity.Roles;
import io.attune.testkit.EveryDoorIsLocked;
import io.attune.testkit.Infrastructure;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import java.util.Map;
import java.util.Set;

@QuarkusTest
@TestProfile(NoWorkers.class)
@WithTestResource(Infrastructure.class)
@WithTestResource(Ingestion.class)
class DoorsIT extends EveryDoorIsLocked {

  private static final Set<String> TRAINER = Set.of(Roles.TRAINER);
  private static final Set<String> VIEWER = Set.of(Roles.VIEWER);
  private static final Set<String> OPERATOR = Set.of(Roles.OPERATOR);
  private static final String JOBS = "attune.training.v1.TrainingService/";
  private static final String ADAPTERS = "attune.training.v1.AdapterService/";

  @Override
  protected Map<String, Set<String>> routes() {
    return Map.of(
        "POST /v1/training/jobs", TRAINER,
        "GET /v1/training/jobs", VIEWER,
        "GET /v1/training/jobs/{id}", VIEWER,
        "GET /v1/training/jobs/{id}/watch", VIEWER,
        "POST /v1/training/jobs/{id}/cancel", TRAINER,
        "GET /v1/adapters/{line}", VIEWER,
        "GET /v1/adapters/{line}/{version}/lineage", VIEWER,
        "POST /v1/adapters/{line}/{version}/activate", OPERATOR);
  }

  @Override
  protected Map<String, Set<String>> methods() {
    return Map.of(
        JOBS + "CreateTrainingJob", TRAINER,
        JOBS + "GetTrainingJob", VIEWER,
        JOBS + "ListTrainingJobs", VIEWER,
        JOBS + "WatchTrainingJob", VIEWER,
        JOBS + "CancelTrainingJob", TRAINER,
        ADAPTERS + "ListAdapters", VIEWER,
        ADAPTERS + "GetLineage", VIEWER,
        ADAPTERS + "RollBackAdapter", OPERATOR);
  }
}
