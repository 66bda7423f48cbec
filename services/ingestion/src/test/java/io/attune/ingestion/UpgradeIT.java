package io.attune.ingestion;

import static org.assertj.core.api.Assertions.assertThat;

import io.attune.testkit.EmbeddedDatabase;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Properties;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.configuration.FluentConfiguration;
import org.jdbi.v3.core.Jdbi;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A database that an earlier version has made goes on with this one. */
class UpgradeIT {
  private static final List<String> FIRST =
      List.of(
          "db/platform/V0_1__outbox_and_inbox.sql",
          "db/migration/V1__ratings_generations_snapshots.sql");

  @Test
  void theFirstVersionsDatabaseGetsWhatCameSince(@TempDir Path first) throws IOException {
    for (String name : FIRST) {
      try (InputStream script = resource(name)) {
        Files.copy(script, first.resolve(Path.of(name).getFileName()));
      }
    }
    String url = EmbeddedDatabase.create();
    migration(url).locations("filesystem:" + first).load().migrate();

    // As the service does at its start.
    Properties settings = new Properties();
    try (InputStream file = resource("application.properties")) {
      settings.load(file);
    }
    migration(url)
        .outOfOrder(Boolean.parseBoolean(settings.getProperty("quarkus.flyway.out-of-order")))
        .locations(settings.getProperty("quarkus.flyway.locations").split(","))
        .load()
        .migrate();

    List<String> tables =
        Jdbi.create(url, EmbeddedDatabase.USER, EmbeddedDatabase.USER)
            .withHandle(
                handle ->
                    handle
                        .createQuery(
                            "SELECT table_name FROM information_schema.columns WHERE"
                                + " table_schema = 'ingestion' AND column_name = 'traceparent'")
                        .mapTo(String.class)
                        .list());
    assertThat(tables).containsExactlyInAnyOrder("outbox", "pending_ratings");
  }

  private static FluentConfiguration migration(String url) {
    return Flyway.configure()
        .dataSource(url, EmbeddedDatabase.USER, EmbeddedDatabase.USER)
        .schemas("ingestion")
        .createSchemas(true);
  }

  private static InputStream resource(String name) {
    return UpgradeIT.class.getClassLoader().getResourceAsStream(name);
  }
}
