package io.attune.testkit;

import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * A broker, a database, an issuer and a folder for a Quarkus test:
 * {@code @WithTestResource(Infrastructure.class)}. Services without a database pass
 * {@code @ResourceArg(name = "database", value = "false")}.
 */
public final class Infrastructure implements QuarkusTestResourceLifecycleManager {

  /** Where tests find the issuer's key. */
  static final String ISSUER_KEY = "attune.test.issuer-key";

  private boolean database = true;
  private TestIssuer issuer;
  private Path storage;

  @Override
  public void init(Map<String, String> arguments) {
    database = Boolean.parseBoolean(arguments.getOrDefault("database", "true"));
  }

  @Override
  public Map<String, String> start() {
    issuer = TestIssuer.start();
    try {
      storage = Files.createTempDirectory("attune-storage");
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
    Map<String, String> settings = new HashMap<>();
    settings.put("kafka.bootstrap.servers", EmbeddedBroker.shared().bootstrapServers());
    settings.put("quarkus.oidc.auth-server-url", issuer.url());
    settings.put("quarkus.oidc-client.auth-server-url", issuer.url());
    settings.put("quarkus.oidc-client.credentials.secret", "test");
    settings.put("quarkus.http.test-port", "0");
    settings.put("attune.storage.root", storage.toString());
    settings.put(ISSUER_KEY, issuer.privateKey());
    if (database) {
      settings.put("quarkus.datasource.jdbc.url", EmbeddedDatabase.create());
      settings.put("quarkus.datasource.username", EmbeddedDatabase.USER);
      settings.put("quarkus.datasource.password", EmbeddedDatabase.USER);
    }
    return settings;
  }

  @Override
  public void stop() {
    issuer.close();
    Folders.delete(storage);
  }
}
