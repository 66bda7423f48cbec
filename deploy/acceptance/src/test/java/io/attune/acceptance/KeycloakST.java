package io.attune.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attune.launcher.local.Tokens;
import io.attune.platform.identity.Tenant;
import io.attune.testkit.DoorWalk;
import io.attune.testkit.Doors;
import io.attune.testkit.Doors.Door;
import io.attune.testkit.GrpcDoors;
import io.attune.testkit.RestDoors;
import io.attune.training.v1.LineKind;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/**
 * The whole platform with a real Keycloak: every door of every service is locked, keys may change,
 * and Keycloak may be away. One platform for all tests; what changes it comes last.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class KeycloakST {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Duration LIMIT = Duration.ofMinutes(5);
  private static final List<String> SERVICES =
      List.of("serving", "ingestion", "reward", "training");

  /** Well within the five minutes for which Keycloak's tokens are valid. */
  private static final Duration FRESH = Duration.ofMinutes(2);

  /** A route of each service that a viewer may read. */
  private static final Map<String, String> READABLE =
      Map.of(
          "serving", "GET /v1/models",
          "ingestion", "GET /v1/snapshots",
          "training", "GET /v1/training/jobs");

  private static final Path SERVICE_SOURCES = AttuneProcess.home().resolve("services");
  private static final Path MODEL =
      SERVICE_SOURCES.resolve("lib/engine/src/test/resources/golden/models/llama");

  private record Minted(String token, Instant at) {}

  private static final Tenant ACME = new Tenant("acme");

  private final Map<Set<String>, Minted> minted = new LinkedHashMap<>();
  private final Map<String, URI> services = new LinkedHashMap<>();
  private Path data;
  private AttuneProcess attune;
  private KeycloakCalls keycloak;
  private String kafka;

  private interface Step {
    void along(String service, PublishedDoors published, DoorWalk walk) throws Exception;
  }

  @BeforeAll
  void start(@TempDir Path folder) throws Exception {
    data = folder.resolve("data");
    attune =
        AttuneProcess.start(
            "up", "--keycloak", "--model", MODEL.toString(), "--data", data.toString());
    attune.await("the platform runs", LIMIT);
    services.put("serving", url("inference   http"));
    services.put("ingestion", url("ingestion   http"));
    services.put("reward", url("reward      http"));
    services.put("training", url("training    http"));
    URI issuer = url("issuer      http");
    kafka = second(attune.await("Kafka       ", LIMIT));
    keycloak = new KeycloakCalls(issuer, data);
  }

  @AfterAll
  void stop() throws InterruptedException {
    attune.close();
  }

  @Test
  @Order(1)
  void everyPublishedDoorIsDeclared() throws Exception {
    forEachService(
        (service, published, walk) ->
            walk.everyDoorIsDeclared(published.routes().keySet(), published.requests().keySet()));
  }

  /** A test of the test: whichever door was forgotten, the walk would say so. */
  @Test
  @Order(1)
  void aDoorThatIsNotDeclaredIsNoticed() throws Exception {
    forEachService(
        (service, published, walk) -> {
          Doors declared = declared(service);
          for (Door forgotten : declared.all()) {
            List<Door> others = new ArrayList<>(declared.all());
            others.remove(forgotten);
            DoorWalk lacking = new DoorWalk(new Doors(others), null, null);
            assertThatThrownBy(
                    () ->
                        lacking.everyDoorIsDeclared(
                            published.routes().keySet(), published.requests().keySet()))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining(forgotten.name());
          }
        });
  }

  @Test
  @Order(2)
  void invalidTokensAreRefused() throws Exception {
    forEachService(
        (service, published, walk) -> walk.invalidTokensAreRefused(invalidTokens(service)));
  }

  @Test
  @Order(2)
  void otherRolesAreRefused() throws Exception {
    forEachService((service, published, walk) -> walk.otherRolesAreRefused(this::token));
  }

  @Test
  @Order(2)
  void doorsOpenForTheirRoles() throws Exception {
    forEachService((service, published, walk) -> walk.doorsOpenForTheirRoles(this::token));
  }

  @Test
  @Order(2)
  void nothingIsNotFound() throws Exception {
    forEachService((service, published, walk) -> walk.nothingIsNotFound(this::token));
  }

  @Test
  @Order(2)
  void servicesGetNoMoreThanTheyNeed() throws Exception {
    JsonNode training = claims(access(keycloak.serviceTokens("training", "ingestion")));
    assertThat(training.get("aud").textValue()).isEqualTo("attune-ingestion");
    assertThat(training.at("/resource_access/attune/roles"))
        .extracting(JsonNode::textValue)
        .containsExactlyInAnyOrder("trainer", "service");
    assertThat(training.has("tenant")).isFalse();
    assertThat(training.at("/resource_access").size()).isEqualTo(1);
    assertThat(training.get("exp").longValue() - training.get("iat").longValue()).isEqualTo(300);
    assertThat(keycloak.serviceTokens("training", "serving").get("error").textValue())
        .isEqualTo("invalid_scope");
    for (String service : List.of("serving", "ingestion", "reward")) {
      JsonNode own = claims(access(keycloak.serviceTokens(service, "")));
      assertThat(own.has("aud")).as("%s", own).isFalse();
      assertThat(own.has("resource_access")).as("%s", own).isFalse();
    }
  }

  @Test
  @Order(2)
  void aTokenNamesTheTenantOfItsGroup() {
    assertThat(claims(token(Set.of("viewer"))).get("tenant").textValue()).isEqualTo("default");
    assertThat(claims(tokenOf(ACME, Set.of("viewer"))).get("tenant").textValue()).isEqualTo("acme");
  }

  @Test
  @Order(2)
  void thingsOfAnotherTenantAreNotFound() throws Exception {
    String token = tokenOf(ACME, Set.of("data-engineer", "trainer", "viewer"));
    OwnedThings acmes = new OwnedThings(token);
    releaseLinesOfAcme();
    String score =
        "{\"line\": \"acmes-judge\", \"answers\": [{\"prompt\": \"x\", \"completion\": \"y\"}]}";
    String complete = "{\"model\": \"acmes\", \"prompt\": \"x\", \"max_tokens\": 1}";
    Awaitility.await()
        .atMost(LIMIT)
        .untilAsserted(
            () -> {
              assertThat(acmes.status(services.get("reward"), "/v1/score", score)).isEqualTo(200);
              assertThat(acmes.status(services.get("serving"), "/v1/completions", complete))
                  .isEqualTo(200);
            });
    Map<String, Map<String, String>> things =
        Map.of(
            "ingestion", Map.of("id", acmes.snapshot(services.get("ingestion"))),
            "training", Map.of("id", acmes.job(services.get("training")), "line", "acmes"),
            "reward", Map.of("line", "acmes-judge"),
            "serving", Map.of("line", "acmes"));
    forEachService(
        (service, published, walk) -> walk.theseAreNotFound(things.get(service), this::token));
    assertThat(
            acmes.status(
                services.get("ingestion"), "/v1/snapshots/" + things.get("ingestion").get("id")))
        .isEqualTo(200);
    assertThat(
            acmes.status(
                services.get("training"), "/v1/training/jobs/" + things.get("training").get("id")))
        .isEqualTo(200);
  }

  private void releaseLinesOfAcme() throws Exception {
    ReleasedLines lines = new ReleasedLines(data, kafka);
    lines.release(
        ACME,
        "acmes",
        LineKind.LINE_KIND_POLICY,
        SERVICE_SOURCES.resolve("serving/src/test/resources/adapters/one"));
    lines.release(
        ACME,
        "acmes-judge",
        LineKind.LINE_KIND_REWARD,
        SERVICE_SOURCES.resolve("reward/src/test/resources/reward"));
  }

  @Test
  @Order(3)
  void keysMayChangeWhileServicesRun() throws Exception {
    String before = token(Set.of("viewer"));
    Map<String, ProcessHandle> processes = processes();
    assertEveryServiceAccepts(before);

    keycloak.replaceSigningKeys();
    minted.clear();
    String after = token(Set.of("viewer"));

    assertThat(header(after).get("kid")).isNotEqualTo(header(before).get("kid"));
    awaitEveryServiceAccepts(after);
    READABLE.forEach(
        (service, route) ->
            assertThat(rest(service).knock(route, before)).as(service).isEqualTo(401));
    assertThat(processes()).isEqualTo(processes);
  }

  @Test
  @Order(4)
  void servicesOutliveAnOutageOfKeycloak() throws Exception {
    String valid = token(Set.of("viewer"));
    awaitEveryServiceAccepts(valid);
    PlatformCalls calls =
        new PlatformCalls(
            data, services.get("ingestion").toString(), services.get("training").toString(), kafka);

    AttuneProcess.part(data, "keycloak").destroyForcibly();
    assertThat(attune.await("keycloak ended", LIMIT)).contains("starting it again");

    assertThat(keycloak.answers()).isFalse();
    assertEveryServiceAccepts(valid);
    // Training needs a token of its own now, to have a snapshot cut, and there is nobody to give
    // it.
    String job = calls.create("{\"line\":\"outage\",\"reward\":{}}");
    assertThat(keycloak.answers()).as("still away").isFalse();

    attune.await("keycloak is ready", LIMIT);
    JsonNode ended =
        calls.await(job, LIMIT, one -> one.path("state").asText().equals("STATE_FAILED"));
    // Ingestion has been asked, and had nothing to cut.
    assertThat(ended.toString()).contains("TOO_LITTLE_DATA");
    minted.clear();
    awaitEveryServiceAccepts(token(Set.of("viewer")));
  }

  /** Why each must be refused by a service; null is no token at all. All carry every role. */
  private Map<String, String> invalidTokens(String service) throws Exception {
    String user = "everybody";
    String valid = Tokens.of(data).mint(user, DoorWalk.ALL_ROLES);
    keycloak.setLifespan(Duration.ofSeconds(1));
    String expired = access(keycloak.login(user, String.join(" ", SERVICES)));
    keycloak.setLifespan(Duration.ofMinutes(5));
    long end = claims(expired).get("exp").longValue();
    Awaitility.await().atMost(LIMIT).until(() -> Instant.now().getEpochSecond() > end);
    String others =
        SERVICES.stream().filter(one -> !one.equals(service)).collect(Collectors.joining(" "));
    String[] parts = valid.split("\\.");

    Map<String, String> invalid = new LinkedHashMap<>();
    invalid.put("no token", null);
    invalid.put("no JWT", "letmein");
    invalid.put("expired", expired);
    invalid.put("for the other services", access(keycloak.login(user, others)));
    invalid.put("for nobody", access(keycloak.login(user, "")));
    invalid.put("an ID token", keycloak.login(user, "openid").get("id_token").textValue());
    invalid.put("a refresh token", keycloak.login(user, "").get("refresh_token").textValue());
    invalid.put("of another realm", keycloak.administrator());
    invalid.put(
        "another's claims under a signature",
        header64("RS256", valid)
            + "."
            + parts[1]
            + "."
            + access(keycloak.login(user, "")).split("\\.")[2]);
    invalid.put("not signed", header64("none", valid) + "." + parts[1] + ".");
    return invalid;
  }

  private static String header64(String algorithm, String token) {
    String kid = header(token).get("kid").textValue();
    String header = "{\"alg\":\"%s\",\"typ\":\"JWT\",\"kid\":\"%s\"}".formatted(algorithm, kid);
    return Base64.getUrlEncoder()
        .withoutPadding()
        .encodeToString(header.getBytes(StandardCharsets.UTF_8));
  }

  private void forEachService(Step step) throws Exception {
    for (String service : SERVICES) {
      URI url = services.get(service);
      PublishedDoors published = PublishedDoors.of(url, token(Set.of("viewer")));
      try (GrpcDoors grpc = new GrpcDoors(url.getHost(), url.getPort(), published.requests())) {
        RestDoors rest = new RestDoors(url.toString(), published.routes());
        step.along(service, published, new DoorWalk(declared(service), rest, grpc));
      }
    }
  }

  private static Doors declared(String service) {
    return Doors.of(AttuneProcess.home(), service);
  }

  /** A token with these roles, of a user of their own. */
  private String token(Set<String> roles) {
    Minted held = minted.get(roles);
    if (held == null || held.at().isBefore(Instant.now().minus(FRESH))) {
      String user = "has-" + roles.stream().sorted().collect(Collectors.joining("-"));
      Instant at = Instant.now();
      held = new Minted(Tokens.of(data).mint(user, roles), at);
      minted.put(roles, held);
    }
    return held.token();
  }

  private String tokenOf(Tenant tenant, Set<String> roles) {
    return Tokens.of(data).mint(tenant, "somebody", roles);
  }

  private void assertEveryServiceAccepts(String token) {
    READABLE.forEach(
        (service, route) ->
            assertThat(rest(service).knock(route, token)).as(service).isEqualTo(200));
    assertThat(rest("reward").knock("POST /v1/score", token)).isEqualTo(400);
  }

  private void awaitEveryServiceAccepts(String token) {
    Awaitility.await().atMost(LIMIT).untilAsserted(() -> assertEveryServiceAccepts(token));
  }

  private RestDoors rest(String service) {
    return new RestDoors(services.get(service).toString(), Map.of());
  }

  private Map<String, ProcessHandle> processes() throws Exception {
    Map<String, ProcessHandle> all = new LinkedHashMap<>();
    for (String service : SERVICES) {
      all.put(service, AttuneProcess.part(data, service));
    }
    return all;
  }

  private static String access(JsonNode tokens) {
    assertThat(tokens.has("access_token")).as("%s", tokens).isTrue();
    return tokens.get("access_token").textValue();
  }

  private static JsonNode claims(String token) {
    return part(token, 1);
  }

  private static JsonNode header(String token) {
    return part(token, 0);
  }

  private static JsonNode part(String token, int index) {
    try {
      return JSON.readTree(Base64.getUrlDecoder().decode(token.split("\\.")[index]));
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private URI url(String line) throws InterruptedException {
    return URI.create(second(attune.await(line, LIMIT)));
  }

  private static String second(String line) {
    return line.strip().split(" +")[1];
  }
}
