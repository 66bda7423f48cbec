package io.attune.manifests;

import static org.assertj.core.api.Assertions.assertThat;

import io.attune.platform.event.Topics;
import io.attune.platform.identity.Tenant;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Topics and rights at Kafka against the contract, the settings and the code of the services. */
class TopicsTest {
  /** Consumer groups that are named in Java. */
  private static final Pattern GROUP =
      Pattern.compile("(?:String GROUP =|InboxConsumers\\.Subscription\\()\\s*\"([^\"]+)\"");

  /** A right that a user has. */
  private record Right(String type, String name, boolean prefix, String operation) {
    boolean covers(String resource) {
      return prefix ? resource.startsWith(name) : resource.equals(name);
    }
  }

  static List<Overlay> overlays() {
    return Overlay.all();
  }

  @ParameterizedTest
  @MethodSource("overlays")
  void theTopicsAreThoseOfTheContract(Overlay overlay) {
    Map<String, String> declared = new TreeMap<>();
    Topics.all().forEach(t -> declared.put(t.name(), t.compacted() ? "compact" : "delete"));
    Map<String, String> deployed = new TreeMap<>();
    overlay
        .manifests()
        .ofKind("KafkaTopic")
        .forEach(t -> deployed.put(t.name(), t.at("/spec/config/cleanup.policy").asText()));

    assertThat(deployed).isEqualTo(declared);
  }

  @ParameterizedTest
  @MethodSource("overlays")
  void aTopicHasOneWriterAndThatIsAService(Overlay overlay) {
    for (Topics.Topic topic : Topics.all()) {
      List<String> writers =
          Services.NAMES.stream()
              .filter(name -> may(overlay, name, "topic", topic.name(), "Write"))
              .toList();
      boolean input = topic.name().equals(Topics.RATINGS);
      assertThat(writers).as(topic.name()).hasSize(input ? 0 : 1);
    }
    assertThat(may(overlay, "raters", "topic", Topics.RATINGS, "Write")).isTrue();
  }

  @ParameterizedTest
  @MethodSource("overlays")
  void channelsMayDoWhatTheyDo(Overlay overlay) {
    for (String service : Services.NAMES) {
      Properties settings = Services.properties(service);
      for (String key : new TreeSet<>(settings.stringPropertyNames())) {
        String value = settings.getProperty(key);
        if (key.matches("mp\\.messaging\\.incoming\\..*\\.topic")) {
          assertThat(may(overlay, service, "topic", value, "Read")).as(key).isTrue();
        } else if (key.matches("mp\\.messaging\\.incoming\\..*\\.group\\.id")) {
          assertThat(may(overlay, service, "group", value, "Read")).as(key).isTrue();
        } else if (key.matches("mp\\.messaging\\.outgoing\\..*\\.topic")) {
          assertThat(may(overlay, service, "topic", value, "Write")).as(key).isTrue();
        } else if (key.endsWith(".transactional.id")) {
          String start = value.substring(0, value.indexOf('$'));
          assertThat(may(overlay, service, "transactionalId", start, "Write")).as(key).isTrue();
        }
      }
    }
  }

  /** Neither fewer groups than a service uses, nor more. */
  @ParameterizedTest
  @MethodSource("overlays")
  void groupsAreThoseOfTheServices(Overlay overlay) {
    for (String service : Services.NAMES) {
      TreeSet<String> used =
          GROUP
              .matcher(Services.sources(service))
              .results()
              .map(match -> match.group(1))
              .collect(Collectors.toCollection(TreeSet::new));
      Properties settings = Services.properties(service);
      settings.stringPropertyNames().stream()
          .filter(key -> key.endsWith(".group.id"))
          .forEach(key -> used.add(settings.getProperty(key)));

      assertThat(
              rights(overlay, service)
                  .filter(right -> right.type().equals("group"))
                  .map(Right::name)
                  .distinct())
          .as(service)
          .containsExactlyInAnyOrderElementsOf(used);
    }
  }

  @ParameterizedTest
  @MethodSource("overlays")
  void rightsAreForTopicsThatAreThere(Overlay overlay) {
    for (Manifest user : overlay.manifests().ofKind("KafkaUser")) {
      assertThat(rights(overlay, user.name()).filter(right -> right.type().equals("topic")))
          .allSatisfy(
              right -> {
                // Each tenant has a topic of ratings; who reads them reads all.
                if (right.prefix()) {
                  assertThat(right.name()).isEqualTo(Topics.RATINGS);
                  assertThat(right.operation()).isIn("Describe", "Read");
                }
                assertThat(Topics.all()).extracting(Topics.Topic::name).contains(right.name());
              });
    }
  }

  @ParameterizedTest
  @MethodSource("overlays")
  void whoScalesByLagMaySeeIt(Overlay overlay) {
    for (Manifest scaled : overlay.manifests().ofKind("ScaledObject")) {
      StreamSupport.stream(scaled.at("/spec/triggers").spliterator(), false)
          .filter(trigger -> trigger.path("type").asText().equals("kafka"))
          .forEach(
              trigger -> {
                String topic = trigger.at("/metadata/topic").asText();
                String group = trigger.at("/metadata/consumerGroup").asText();
                assertThat(may(overlay, "keda", "group", group, "Describe")).isTrue();
                assertThat(may(overlay, scaled.name(), "group", group, "Read")).isTrue();
                // Without one it goes by all that the group reads: the topics of all tenants.
                List<String> topics =
                    topic.isEmpty()
                        ? List.of(Topics.RATINGS, Topics.ratingsOf(new Tenant("some")))
                        : List.of(topic);
                for (String one : topics) {
                  assertThat(may(overlay, "keda", "topic", one, "Describe")).as(one).isTrue();
                  assertThat(may(overlay, scaled.name(), "topic", one, "Read")).as(one).isTrue();
                }
              });
    }
  }

  private static boolean may(
      Overlay overlay, String user, String type, String resource, String operation) {
    return rights(overlay, user)
        .anyMatch(
            right ->
                right.type().equals(type)
                    && right.operation().equals(operation)
                    && right.covers(resource));
  }

  private static Stream<Right> rights(Overlay overlay, String user) {
    return StreamSupport.stream(
            overlay.manifests().get("KafkaUser", user).at("/spec/authorization/acls").spliterator(),
            false)
        .flatMap(
            acl ->
                StreamSupport.stream(acl.path("operations").spliterator(), false)
                    .map(
                        operation ->
                            new Right(
                                acl.at("/resource/type").asText(),
                                acl.at("/resource/name").asText(),
                                acl.at("/resource/patternType").asText().equals("prefix"),
                                operation.asText())));
  }
}
