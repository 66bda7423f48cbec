package io.attune.manifests.schema;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attune.manifests.Manifest;
import io.attune.manifests.Manifests;
import io.attune.manifests.Overlay;
import io.attune.manifests.Project;
import io.attune.manifests.Services;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;

/** What realm.sh prints is a document that the Keycloak operator takes. */
class RealmImportTest {

  @Test
  void theRealmIsTakenAsItIs() throws Exception {
    Path realm = Project.root().resolve("deploy/manifests/src/test/resources/realm.json");

    Manifest printed = print(realm);

    assertThat(List.of(new NetworkntSchemas(), new SkemaSchemas()))
        .flatExtracting(library -> library.problems(printed))
        .isEmpty();
    JsonNode expected = new ObjectMapper().readTree(realm.toFile());
    assertThat(printed.at("/spec/realm")).isEqualTo(expected);
  }

  @Test
  void itsPlaceholdersAreTheSecretsOfTheServices() throws Exception {
    Path realm = Project.root().resolve("deploy/manifests/src/test/resources/realm.json");
    Manifest printed = print(realm);
    Manifests manifests = new Overlay("production").manifests();

    for (String service : Services.NAMES) {
      JsonNode secret =
          printed.at(
              "/spec/placeholders/ATTUNE_%s_SECRET/secret"
                  .formatted(service.toUpperCase(Locale.ROOT)));
      JsonNode read =
          manifests
              .workload(service)
              .containers()
              .get(0)
              .path("env")
              .findParents("valueFrom")
              .stream()
              .filter(
                  one -> one.path("name").asText().equals("QUARKUS_OIDC_CLIENT_CREDENTIALS_SECRET"))
              .findFirst()
              .orElseThrow();
      assertThat(secret).isEqualTo(read.at("/valueFrom/secretKeyRef"));
    }
  }

  private static Manifest print(Path realm) throws IOException, InterruptedException {
    Process script =
        new ProcessBuilder(
                "sh", Project.root().resolve("k8s/realm.sh").toString(), realm.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    String text = new String(script.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(script.waitFor()).isZero();
    return Manifests.parse(text).get("KeycloakRealmImport", "attune");
  }
}
