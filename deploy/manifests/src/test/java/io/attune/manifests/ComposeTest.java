package io.attune.manifests;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attune.platform.event.Topics;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/** What is written in compose.yaml holds as well as what is written for Kubernetes. */
class ComposeTest {
  private static final Settings SETTINGS = Settings.all();

  private final JsonNode compose = read();

  @Test
  void topicsAreThoseOfTheContract() {
    JsonNode environment = compose.at("/services/topics/environment");

    assertThat(words(environment.path("TOPICS")))
        .containsExactlyInAnyOrderElementsOf(
            Topics.all().stream().filter(t -> !t.compacted()).map(Topics.Topic::name).toList());
    assertThat(words(environment.path("COMPACTED_TOPICS")))
        .containsExactlyInAnyOrderElementsOf(
            Topics.all().stream().filter(Topics.Topic::compacted).map(Topics.Topic::name).toList());
  }

  @Test
  void everyVariableOfAServiceIsASetting() {
    for (String service : Services.NAMES) {
      assertThat(Workload.text(environment(service)).keySet())
          .as(service)
          .hasSizeGreaterThan(5)
          .filteredOn(name -> !EnvironmentTest.OTHERS.contains(name))
          .allMatch(SETTINGS::contains, "is read by a service, Quarkus or Kafka");
    }
  }

  @Test
  void noSecretIsWrittenDown() {
    compose
        .path("services")
        .properties()
        .forEach(
            service ->
                assertThat(Workload.text(service.getValue().path("environment")))
                    .as(service.getKey())
                    .allSatisfy(
                        (name, value) -> {
                          if (name.matches(".*(PASSWORD|SECRET)")) {
                            assertThat(value).startsWith("${").contains(":?");
                          }
                        }));
  }

  @Test
  void whatIsOpenIsOpenOnTheLoopbackAddressAlone() {
    compose
        .path("services")
        .forEach(
            service ->
                service
                    .path("ports")
                    .forEach(port -> assertThat(port.asText()).startsWith("127.0.0.1:")));
  }

  private JsonNode environment(String service) {
    return compose.path("services").path(service).path("environment");
  }

  private static List<String> words(JsonNode text) {
    return Arrays.asList(text.asText().trim().split("\\s+", -1));
  }

  /** With merge keys, which Jackson leaves as they are. */
  private static JsonNode read() {
    try (var file =
        Files.newBufferedReader(Project.root().resolve("deploy/compose/compose.yaml"))) {
      return new ObjectMapper()
          .valueToTree(new Yaml(new SafeConstructor(new LoaderOptions())).load(file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
