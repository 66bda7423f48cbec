package io.attune.training;

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
          "db/training/V1__jobs_adapters_gate_trigger.sql",
          "db/training/V2__rollout_rounds.sql",
          "db/training/V3__reward_refresh_and_live_ratings.sql",
          "db/training/V5__counted_events.sql");

  private final String url = EmbeddedDatabase.create() + "&currentSchema=training";
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

    migrate("classpath:db/platform", "classpath:db/training");

    assertThat(transactions.inTenant(Tenant.DEFAULT, UpgradeIT::counts)).containsOnly(1L);
    assertThat(transactions.inTenant(new Tenant("acme"), UpgradeIT::counts)).containsOnly(0L);
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
        .schemas("training")
        .outOfOrder(Boolean.parseBoolean(settings.getProperty("quarkus.flyway.out-of-order")))
        .locations(locations)
        .load()
        .migrate();
  }

  private static void fill(Handle handle) {
    handle.execute(
        "insert into training_job (id, request_id, created_by, line, state, revision, update_time,"
            + " body) values ('01900000-0000-7000-8000-000000000001', 'q', 'ann', 'l',"
            + " 'STATE_RELEASED', 1, now(), '{}')");
    handle.execute("insert into adapter_line (line, kind) values ('l', 'LINE_KIND_POLICY')");
    handle.execute(
        "insert into adapter (line, version, job_id, parent_version, body)"
            + " values ('l', 1, '01900000-0000-7000-8000-000000000001', 0, '{}')");
    handle.execute(
        "insert into release_watch (line, version, previous_version, release_time, state, next_look)"
            + " values ('l', 1, 0, now(), 'WATCHING', 1)");
    handle.execute("insert into trigger_count values ('default', 3, now())");
    handle.execute("insert into counted_event values ('e', now())");
    handle.execute("insert into live_rating values ('l', 1, 'r', 'v', 1, now())");
  }

  private static List<Long> counts(Handle handle) {
    return List.of(
            "training_job",
            "adapter_line",
            "adapter",
            "release_watch",
            "trigger_count",
            "counted_event",
            "live_rating")
        .stream()
        .map(table -> handle.createQuery("select count(*) from " + table).mapTo(Long.class).one())
        .toList();
  }
}
