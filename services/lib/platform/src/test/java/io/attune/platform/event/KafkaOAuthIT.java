package io.attune.platform.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attune.testkit.EmbeddedBroker;
import io.attune.testkit.TestIssuer;
import io.smallrye.config.PropertiesConfigSource;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.errors.SaslAuthenticationException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A broker that takes tokens of the issuer, and a service's clients with {@code kafka-oauth}. */
class KafkaOAuthIT {

  private static final String ALLOWED = "org.apache.kafka.sasl.oauthbearer.allowed.urls";
  private static final String OWN = "own.v1";
  private static final String OTHERS = "others.v1";

  private static TestIssuer issuer;
  private static EmbeddedBroker broker;
  private static int port;

  @BeforeAll
  static void start() throws Exception {
    issuer = TestIssuer.start();
    System.setProperty(ALLOWED, issuer.keysUrl() + "," + issuer.tokenUrl());
    port = EmbeddedBroker.freePort();
    broker = EmbeddedBroker.start(settings());
    // Who connects in plain text is nobody, and nobody is the administrator of this broker.
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrapServers()))) {
      admin
          .createTopics(
              List.of(new NewTopic(OWN, 1, (short) 1), new NewTopic(OTHERS, 1, (short) 1)))
          .all()
          .get(60, TimeUnit.SECONDS);
      admin
          .createAcls(List.of(write("attune-ingestion", OWN), write("attune-reward", OTHERS)))
          .all()
          .get(60, TimeUnit.SECONDS);
    }
  }

  @AfterAll
  static void stop() {
    broker.close();
    issuer.close();
    System.clearProperty(ALLOWED);
  }

  @Test
  void aServiceWritesWhereItsAccountMay() throws Exception {
    try (KafkaProducer<String, byte[]> producer = clients("ingestion", Map.of()).producer("test")) {
      assertThat(send(producer, OWN)).isZero();
    }
  }

  @Test
  void andNowhereElse() {
    try (KafkaProducer<String, byte[]> producer = clients("ingestion", Map.of()).producer("test")) {
      assertThatThrownBy(() -> send(producer, OTHERS))
          .hasCauseInstanceOf(TopicAuthorizationException.class);
    }
    try (KafkaProducer<String, byte[]> producer = clients("reward", Map.of()).producer("test")) {
      assertThatThrownBy(() -> send(producer, OWN))
          .hasCauseInstanceOf(TopicAuthorizationException.class);
    }
  }

  @Test
  void aTokenForAnotherAudienceIsRefused() {
    KafkaClients clients =
        clients("ingestion", Map.of("kafka.sasl.oauthbearer.scope", "ingestion"));
    try (KafkaConsumer<String, byte[]> consumer = clients.consumer("group", 1)) {
      assertThatThrownBy(() -> consumer.listTopics(Duration.ofSeconds(30)))
          .isInstanceOf(SaslAuthenticationException.class);
    }
  }

  private static long send(KafkaProducer<String, byte[]> producer, String topic)
      throws ExecutionException, InterruptedException {
    return producer.send(new ProducerRecord<>(topic, "key", new byte[1])).get().offset();
  }

  private static Map<String, String> settings() {
    Map<String, String> settings = new HashMap<>();
    settings.put("listeners", "OAUTH://127.0.0.1:" + port);
    settings.put("advertised.listeners", "OAUTH://127.0.0.1:" + port);
    settings.put("listener.security.protocol.map", "OAUTH:SASL_PLAINTEXT");
    settings.put("sasl.enabled.mechanisms", "OAUTHBEARER");
    settings.put(
        "listener.name.oauth.oauthbearer.sasl.jaas.config",
        "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required ;");
    settings.put(
        "listener.name.oauth.oauthbearer.sasl.server.callback.handler.class",
        "org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler");
    settings.put("sasl.oauthbearer.jwks.endpoint.url", issuer.keysUrl());
    settings.put("sasl.oauthbearer.expected.issuer", issuer.url());
    settings.put("sasl.oauthbearer.expected.audience", "kafka");
    // Keycloak's subjects are ids; a service is known by its client.
    settings.put("sasl.oauthbearer.sub.claim.name", "azp");
    // A session ends with its token, unless the client presents the next one.
    settings.put("connections.max.reauth.ms", "300000");
    settings.put(
        "authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer");
    settings.put("super.users", "User:ANONYMOUS");
    return settings;
  }

  private static AclBinding write(String client, String topic) {
    return new AclBinding(
        new ResourcePattern(ResourceType.TOPIC, topic, PatternType.LITERAL),
        new AccessControlEntry("User:" + client, "*", AclOperation.WRITE, AclPermissionType.ALLOW));
  }

  private static KafkaClients clients(String service, Map<String, String> more) {
    Map<String, String> settings = new HashMap<>();
    settings.put("quarkus.application.name", service);
    settings.put("quarkus.oidc.auth-server-url", issuer.url());
    settings.put("quarkus.oidc-client.credentials.secret", "test");
    settings.put("kafka.bootstrap.servers", "127.0.0.1:" + port);
    settings.put("kafka.security.protocol", "SASL_PLAINTEXT");
    settings.putAll(more);
    var config =
        new SmallRyeConfigBuilder()
            .addDefaultInterceptors()
            .addPropertiesSources()
            .withProfile("kafka-oauth")
            .withSources(new PropertiesConfigSource(settings, "test", 500))
            .build();
    return new KafkaClients(config, service);
  }
}
