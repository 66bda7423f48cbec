package io.attune.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import io.attune.testkit.TestTokens.Claims;
import io.grpc.Status;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/**
 * Walks along every route and gRPC method of the running service and tries to get in. A service's
 * test extends this under {@code @QuarkusTest} and declares its doors; one that is not declared
 * fails the test.
 */
public abstract class EveryDoorIsLocked {

  private static final Set<String> ALL_ROLES =
      Set.of("rater", "data-engineer", "trainer", "operator", "viewer");

  /** Says whether the service is up, and nothing else. */
  private static final String HEALTH = "grpc.health.v1.Health/";

  private final TestTokens tokens = TestTokens.ofRunningTest();

  /** Routes as "POST /v1/feedback", each with the roles that open it. */
  protected abstract Map<String, Set<String>> routes();

  /**
   * Methods as "attune.feedback.v1.FeedbackService/SubmitRatings", with the roles that open them.
   */
  protected abstract Map<String, Set<String>> methods();

  @Test
  void everyRouteIsDeclared() {
    assertThat(new TreeSet<>(RestDoors.found())).isEqualTo(new TreeSet<>(routes().keySet()));
  }

  @Test
  void noRouteIsOutsideOfTheResources() {
    assertThat(RestDoors.otherPaths()).isEmpty();
  }

  @Test
  void everyMethodIsDeclared() {
    Set<String> found = new TreeSet<>(GrpcDoors.found());
    found.removeIf(method -> method.startsWith(HEALTH));
    assertThat(found).isEqualTo(new TreeSet<>(methods().keySet()));
  }

  @Test
  void probesNeedNoToken() {
    try (GrpcDoors doors = new GrpcDoors()) {
      assertThat(doors.knock(HEALTH + "Check", null)).isEqualTo(Status.Code.OK);
    }
  }

  @Test
  void routesRefuseTokensThatAreNotValid() {
    routes()
        .keySet()
        .forEach(
            route ->
                invalidTokens()
                    .forEach(
                        (why, token) ->
                            assertThat(RestDoors.knock(route, token))
                                .as("%s, %s", route, why)
                                .isEqualTo(401)));
  }

  @Test
  void routesRefuseEveryOtherRole() {
    routes()
        .forEach(
            (route, allowed) -> {
              assertThat(allowed).as(route).isNotEmpty().isSubsetOf(ALL_ROLES);
              String others = tokens.with("somebody", without(allowed));
              assertThat(RestDoors.knock(route, others)).as(route).isEqualTo(403);
            });
  }

  @Test
  void routesOpenForTheirRoles() {
    routes()
        .forEach(
            (route, allowed) ->
                allowed.forEach(
                    role ->
                        assertThat(RestDoors.knock(route, tokens.with("somebody", role)))
                            .as("%s, %s", route, role)
                            .isNotIn(401, 403, 405, 500)
                            // The thing that a path names need not exist; the path itself must.
                            .satisfies(
                                status ->
                                    assertThat(status == 404).isIn(false, route.contains("{")))));
  }

  @Test
  void methodsRefuseTokensThatAreNotValid() {
    try (GrpcDoors doors = new GrpcDoors()) {
      methods()
          .keySet()
          .forEach(
              method ->
                  invalidTokens()
                      .forEach(
                          (why, token) ->
                              assertThat(doors.knock(method, token))
                                  .as("%s, %s", method, why)
                                  .isEqualTo(Status.Code.UNAUTHENTICATED)));
    }
  }

  @Test
  void methodsRefuseEveryOtherRole() {
    try (GrpcDoors doors = new GrpcDoors()) {
      methods()
          .forEach(
              (method, allowed) -> {
                assertThat(allowed).as(method).isNotEmpty().isSubsetOf(ALL_ROLES);
                String others = tokens.with("somebody", without(allowed));
                assertThat(doors.knock(method, others))
                    .as(method)
                    .isEqualTo(Status.Code.PERMISSION_DENIED);
              });
    }
  }

  @Test
  void methodsOpenForTheirRoles() {
    try (GrpcDoors doors = new GrpcDoors()) {
      methods()
          .forEach(
              (method, allowed) ->
                  allowed.forEach(
                      role ->
                          assertThat(doors.knock(method, tokens.with("somebody", role)))
                              .as("%s, %s", method, role)
                              .isNotIn(
                                  Status.Code.UNAUTHENTICATED,
                                  Status.Code.PERMISSION_DENIED,
                                  Status.Code.UNIMPLEMENTED,
                                  Status.Code.UNKNOWN,
                                  Status.Code.INTERNAL)));
    }
  }

  /** Why each of them must be refused; null is no token at all. All carry every role. */
  private Map<String, String> invalidTokens() {
    Claims valid = tokens.claims("somebody", ALL_ROLES);
    Map<String, String> invalid = new LinkedHashMap<>();
    invalid.put("no token", null);
    invalid.put("no JWT", "letmein");
    invalid.put("expired", tokens.token(valid.withLifetime(Duration.ofHours(-1))));
    invalid.put("for another audience", tokens.token(valid.withAudience("account")));
    invalid.put("of another issuer", tokens.token(valid.withIssuer("http://127.0.0.1:1/realms/x")));
    invalid.put("not signed", tokens.unsigned(valid));
    invalid.put("signed by another key", tokens.forged(valid));
    return invalid;
  }

  private static Set<String> without(Set<String> roles) {
    Set<String> others = new TreeSet<>(ALL_ROLES);
    others.removeAll(roles);
    return others;
  }
}
