package io.attune.ingestion;

import static io.restassured.RestAssured.given;

import io.attune.platform.identity.Roles;
import io.attune.testkit.EveryDoorIsLocked;
import io.attune.testkit.Infrastructure;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.response.Response;
import java.util.Map;
import java.util.Set;

@QuarkusTest
@WithTestResource(Infrastructure.class)
class DoorsIT extends EveryDoorIsLocked {

  @Override
  protected Map<String, String> thingsOf(String tenant) {
    post(tenant, Roles.DATA_ENGINEER, "/v1/feedback", "{\"completion\":\"a\",\"score\":1}");
    Response cut = post(tenant, Roles.TRAINER, "/v1/snapshots", "{}");
    return Map.of("id", cut.jsonPath().getString("id"));
  }

  private Response post(String tenant, String role, String path, String json) {
    return given()
        .auth()
        .oauth2(tokensOf(tenant).apply(Set.of(role)))
        .contentType("application/json")
        .body(json)
        .post(path);
  }
}
