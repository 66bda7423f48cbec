package io.attune.serving;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.attune.common.v1.Artifact;
import io.attune.common.v1.Prompt;
import io.attune.platform.identity.Tenant;
import io.attune.serving.generate.Models;
import io.attune.serving.v1.GenerateBatchRequest;
import io.attune.serving.v1.GenerateRequest;
import io.attune.serving.v1.Generation;
import io.attune.serving.v1.GenerationCompleted;
import io.attune.serving.v1.SamplingParameters;
import io.attune.testkit.Infrastructure;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.quarkus.test.common.ResourceArg;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Two tenants at one replica: lines of the same name, and each is answered by its own. */
@QuarkusTest
@WithTestResource(
    value = Infrastructure.class,
    initArgs = @ResourceArg(name = "database", value = "false"))
class TenantsIT {

  private static final Tenant ACME = new Tenant("acme");
  private static final Tenant GLOBEX = new Tenant("globex");

  @Inject Models models;

  private final Fixture fixture = new Fixture();

  @AfterEach
  void close() {
    fixture.close();
  }

  @Test
  void aLineIsTheTenantsOwn() {
    Artifact acmes = release(ACME, "shared", "one");
    Artifact globexs = release(GLOBEX, "shared", "two");

    assertThat(ask(ACME, "shared").getAdapter().getSha256()).isEqualTo(acmes.getSha256());
    assertThat(ask(GLOBEX, "shared").getAdapter().getSha256()).isEqualTo(globexs.getSha256());
    assertThat(ask(ACME, "shared@1").getAdapter().getSha256()).isEqualTo(acmes.getSha256());
    assertThatThrownBy(() -> ask(Tenant.DEFAULT, "shared"))
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            refused -> assertThat(refused.getStatus().getCode()).isEqualTo(Status.Code.NOT_FOUND));
  }

  @Test
  void everybodyHasTheBaseModelAndTheDefaultLine() {
    Tenant newcomer = new Tenant("newcomer");

    assertThat(ask(newcomer, "tiny").getAdapter().getVersion()).isZero();
    assertThat(ask(newcomer, "").getAdapter().getLine()).isEqualTo("assistant");
  }

  @Test
  void modelsOfOthersAreNotListed() {
    release(ACME, "secret", "one");

    assertThat(listed(ACME)).contains("tiny", "assistant", "secret");
    assertThat(listed(GLOBEX)).contains("tiny", "assistant").doesNotContain("secret");
  }

  @Test
  void anAnswersEventIsItsTenants() {
    Generation answer = ask(ACME, "tiny");

    assertThat(
            fixture.tenants(
                GenerationCompleted.class,
                event -> event.getGeneration().getGenerationId().equals(answer.getGenerationId())))
        .containsExactly(ACME);
  }

  @Test
  void aTenantThatHasUsedUpItsTokensWaits() {
    Tenant bounded = new Tenant("bounded");
    ask(bounded, "tiny");

    assertThatThrownBy(() -> ask(bounded, "tiny"))
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            refused ->
                assertThat(refused.getStatus().getCode())
                    .isEqualTo(Status.Code.RESOURCE_EXHAUSTED));
    assertThat(ask(ACME, "tiny").getCompletionTokenIdsCount()).isEqualTo(1);
  }

  private Artifact release(Tenant tenant, String line, String adapter) {
    Artifact artifact = fixture.publish(tenant, Fixture.ADAPTERS.resolve(adapter));
    fixture.release(tenant, line, 1, Fixture.adapter(line, 1, artifact));
    await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> models.list(tenant).stream().anyMatch(entry -> entry.name().equals(line)));
    return artifact;
  }

  private Generation ask(Tenant tenant, String model) {
    return fixture
        .blocking(tenant)
        .generateBatch(
            GenerateBatchRequest.newBuilder()
                .addRequests(
                    GenerateRequest.newBuilder()
                        .setModel(model)
                        .setPrompt(Prompt.newBuilder().setText("hello"))
                        .setSampling(SamplingParameters.newBuilder().setMaxNewTokens(1)))
                .build())
        .getGenerations(0);
  }

  private static List<String> listed(Tenant tenant) {
    return given()
        .auth()
        .oauth2(Fixture.token(tenant))
        .get("/v1/models")
        .jsonPath()
        .getList("data.id", String.class);
  }
}
