package io.attune.ingestion;

import static org.assertj.core.api.Assertions.assertThat;

import io.attune.platform.database.TenantTransactions;
import io.attune.platform.identity.Tenant;
import io.attune.testkit.EmbeddedDatabase;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Properties;
import org.flywaydb.core.Flyway;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a database held before there were tenants is the default tenant's. */
class UpgradeIT {

  private static final List<String> BEFORE =
      List.of(
          "db/platform/V0_1__outbox_and_inbox.sql",
          "db/migration/V1__ratings_generations_snapshots.sql");

  private final String url = EmbeddedDatabase.create() + "&currentSchema=ingestion";
  private final Jdbi jdbi = Jdbi.create(url);
  private final TenantTransactions transactions = new TenantTransactions(jdbi);

  @Test
  void rowsAreTheDefaultTenants(@TempDir Path old) throws IOException {
    for (String script : BEFORE) {
      try (InputStream sql = getClass().getClassLoader().getResourceAsStream(script)) {
        Files.copy(sql, old.resolve(Path.of(script).getFileName()));
      }
    }
    migrate("filesystem:" + old);
    jdbi.useHandle(UpgradeIT::fill);

    migrate("classpath:db/platform", "classpath:db/migration");

    assertThat(transactions.inTenant(Tenant.DEFAULT, UpgradeIT::counts)).containsOnly(1L);
    assertThat(transactions.inTenant(new Tenant("acme"), UpgradeIT::counts)).containsOnly(0L);
    // What waits goes with its rating, as before.
    transactions.useTenant(
        Tenant.DEFAULT, handle -> handle.execute("DELETE FROM ratings WHERE rating_id = 'r'"));
    assertThat(transactions.inTenant(Tenant.DEFAULT, UpgradeIT::counts))
        .containsExactly(0L, 0L, 0L, 1L);
  }

  /** As the service does at its start. */
  private void migrate(String... locations) throws IOException {
    Properties settings = new Properties();
    try (InputStream file =
        getClass().getClassLoader().getResourceAsStream("application.properties")) {
      settings.load(file);
    }
    Flyway.configure()
        .dataSource(url, EmbeddedDatabase.USER, EmbeddedDatabase.USER)
        .schemas("ingestion")
        .outOfOrder(Boolean.parseBoolean(settings.getProperty("quarkus.flyway.out-of-order")))
        .locations(locations)
        .load()
        .migrate();
  }

  private static void fill(Handle handle) {
    handle.execute("INSERT INTO ratings VALUES ('r', 'default', 'PENDING', '\\x00', now())");
    handle.execute("INSERT INTO pending_ratings VALUES ('r', now(), 'k', '\\x00', 'rest', 0, 0)");
    handle.execute("INSERT INTO pending_generations VALUES ('g', 'r')");
    handle.execute(
        "INSERT INTO outbox (event_id, topic, event_key, event_type, event_time, value)"
            + " VALUES ('e', 't', 'k', 'y', now(), '\\x00')");
  }

  private static List<Long> counts(Handle handle) {
    return List.of("ratings", "pending_ratings", "pending_generations", "outbox").stream()
        .map(table -> handle.createQuery("SELECT count(*) FROM " + table).mapTo(Long.class).one())
        .toList();
  }
}
