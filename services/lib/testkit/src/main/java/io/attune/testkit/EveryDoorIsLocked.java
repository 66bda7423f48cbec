package io.attune.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Descriptors.Descriptor;
import io.attune.testkit.TestTokens.Claims;
import io.grpc.Status;
import io.grpc.protobuf.ProtoMethodDescriptorSupplier;
import java.net.URI;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.Function;
import org.eclipse.microprofile.config.ConfigProvider;
import org.junit.jupiter.api.Test;

/**
 * Walks along every route and gRPC method of the running service and tries to get in. A service's
 * test extends this under {@code @QuarkusTest} and declares its doors in {@link Doors}; one that is
 * not declared fails the test.
 */
public abstract class EveryDoorIsLocked {

  /** Says whether the service is up, and nothing else. */
  private static final String HEALTH = "grpc.health.v1.Health/";

  private static final String OWNER = "owner";

  private static final String CONTRACT = "GET /q/openapi";

  private final TestTokens tokens = TestTokens.ofRunningTest();
  private final Function<Set<String>, String> byRoles = roles -> tokens.with("somebody", roles);

  @Test
  void everyDoorIsDeclared() {
    Set<String> methods = new TreeSet<>(RunningDoors.methods().keySet());
    methods.removeIf(method -> method.startsWith(HEALTH));
    walk(doors -> doors.everyDoorIsDeclared(RunningDoors.routes().keySet(), methods));
  }

  @Test
  void noRouteIsOutsideOfTheResources() {
    assertThat(RunningDoors.otherPaths()).isEmpty();
  }

  @Test
  void probesNeedNoToken() {
    try (GrpcDoors doors = grpc()) {
      assertThat(doors.knock(HEALTH + "Check", null)).isEqualTo(Status.Code.OK);
    }
  }

  @Test
  void theContractIsForWhoeverHasAToken() {
    assertThat(rest().knock(CONTRACT, null)).isEqualTo(401);
    assertThat(rest().knock(CONTRACT, tokens.with("somebody"))).isEqualTo(200);
  }

  @Test
  void invalidTokensAreRefused() {
    walk(doors -> doors.invalidTokensAreRefused(invalidTokens()));
  }

  @Test
  void otherRolesAreRefused() {
    walk(doors -> doors.otherRolesAreRefused(byRoles));
  }

  @Test
  void doorsOpenForTheirRoles() {
    walk(doors -> doors.doorsOpenForTheirRoles(byRoles));
  }

  @Test
  void nothingIsNotFound() {
    walk(doors -> doors.nothingIsNotFound(byRoles));
  }

  @Test
  void anotherTenantsIsNotFound() {
    Map<String, String> things = thingsOf(OWNER);
    walk(
        doors ->
            doors.anotherTenantsIsNotFound(
                things, tokensOf(OWNER), tokensOf("another-than-" + OWNER)));
  }

  /**
   * Makes one thing of each kind that belongs to a tenant.
   *
   * @return their names, by what stands for them in {@link Doors}
   */
  protected abstract Map<String, String> thingsOf(String tenant);

  /** Tokens of somebody of a tenant, by roles. */
  protected final Function<Set<String>, String> tokensOf(String tenant) {
    return roles -> tokens.token(tokens.claims("somebody", roles).withTenant(tenant));
  }

  private void walk(Consumer<DoorWalk> along) {
    try (GrpcDoors grpc = grpc()) {
      along.accept(new DoorWalk(Doors.ofThisService(), rest(), grpc));
    }
  }

  private static RestDoors rest() {
    return new RestDoors(setting("test.url"), RunningDoors.routes());
  }

  private static GrpcDoors grpc() {
    Map<String, Descriptor> requests = new HashMap<>();
    RunningDoors.methods()
        .forEach(
            (name, method) -> {
              if (method.getSchemaDescriptor() instanceof ProtoMethodDescriptorSupplier schema) {
                requests.put(name, schema.getMethodDescriptor().getInputType());
              }
            });
    URI url = URI.create(setting("test.url"));
    return new GrpcDoors(url.getHost(), url.getPort(), requests);
  }

  /** Why each of them must be refused; null is no token at all. All carry every role. */
  private Map<String, String> invalidTokens() {
    Claims valid = tokens.claims("somebody", DoorWalk.ALL_ROLES);
    Set<String> others = new TreeSet<>(valid.audiences());
    others.remove("attune-" + setting("quarkus.application.name"));
    Map<String, String> invalid = new LinkedHashMap<>();
    invalid.put("no token", null);
    invalid.put("no JWT", "letmein");
    invalid.put("expired", tokens.token(valid.withLifetime(Duration.ofHours(-1))));
    invalid.put("for the other services", tokens.token(valid.withAudiences(others)));
    invalid.put("for nobody", tokens.token(valid.withAudiences(Set.of())));
    invalid.put("of another issuer", tokens.token(valid.withIssuer("http://127.0.0.1:1/realms/x")));
    invalid.put("not signed", tokens.unsigned(valid));
    invalid.put("signed by another key", tokens.forged(valid));
    return invalid;
  }

  private static String setting(String name) {
    return ConfigProvider.getConfig().getValue(name, String.class);
  }
}
