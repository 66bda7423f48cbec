package io.attune.platform.database;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attune.platform.identity.Tenant;
import io.attune.testkit.EmbeddedDatabase;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.util.List;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.jdbi.v3.core.JdbiException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** PostgreSQL itself keeps tenants apart: also a query that forgets them. */
class TenantTransactionsIT {

  private static final Tenant ACME = new Tenant("acme");
  private static final Tenant GLOBEX = new Tenant("globex");
  private static final String EVERYTHING = "SELECT text FROM note ORDER BY text";

  private Jdbi jdbi;
  private TenantTransactions transactions;

  @BeforeEach
  void tables() throws IOException, SQLException {
    jdbi = Jdbi.create(EmbeddedDatabase.create(), EmbeddedDatabase.USER, EmbeddedDatabase.USER);
    transactions = new TenantTransactions(jdbi);
    run("/db/platform/V0_1__outbox_and_inbox.sql");
    jdbi.useHandle(
        handle -> {
          handle.execute("CREATE TABLE note (text text NOT NULL)");
          handle.execute("INSERT INTO note VALUES ('older than tenants')");
        });
    run("/db/platform/V0_3__tenants.sql");
    jdbi.useHandle(handle -> handle.execute("SELECT fence_tenants('note')"));
    transactions.useTenant(ACME, handle -> add(handle, "acme's"));
    transactions.useTenant(GLOBEX, handle -> add(handle, "globex's"));
  }

  @Test
  void aQueryThatForgetsTenantsSeesItsOwnAlone() {
    assertThat(transactions.inTenant(ACME, TenantTransactionsIT::all)).containsExactly("acme's");
    assertThat(transactions.inTenant(Tenant.DEFAULT, TenantTransactionsIT::all))
        .containsExactly("older than tenants");
  }

  @Test
  void withoutATenantNothingIsSeen() {
    assertThat(jdbi.withHandle(TenantTransactionsIT::all)).isEmpty();
    assertThat(transactions.inNone(TenantTransactionsIT::all)).isEmpty();
  }

  @Test
  void theTenantEndsWithItsTransaction() {
    try (Handle connection = jdbi.open()) {
      List<String> within =
          connection.inTransaction(handle -> all(TenantTransactions.enter(handle, ACME)));
      assertThat(within).hasSize(1);
      assertThat(all(connection)).isEmpty();
      assertThatThrownBy(() -> add(connection, "nobody's")).isInstanceOf(JdbiException.class);
      assertThatThrownBy(() -> TenantTransactions.enter(connection, ACME))
          .isInstanceOf(IllegalStateException.class);
    }
  }

  @Test
  void nobodyWritesOrChangesRowsOfAnotherTenant() {
    assertThatThrownBy(
            () ->
                transactions.useTenant(
                    ACME, handle -> handle.execute("INSERT INTO note VALUES ('forged', 'globex')")))
        .isInstanceOf(JdbiException.class)
        .hasMessageContaining("row-level security");
    assertThatThrownBy(
            () ->
                transactions.useTenant(
                    ACME, handle -> handle.execute("UPDATE note SET tenant = 'globex'")))
        .isInstanceOf(JdbiException.class);
    int changed =
        transactions.inTenant(
            ACME, handle -> handle.execute("UPDATE note SET text = 'x' WHERE text = 'globex''s'"));
    int deleted =
        transactions.inTenant(
            ACME, handle -> handle.execute("DELETE FROM note WHERE text = 'globex''s'"));

    assertThat(List.of(changed, deleted)).containsOnly(0);
    assertThat(transactions.inTenant(GLOBEX, TenantTransactionsIT::all))
        .containsExactly("globex's");
  }

  @Test
  void workAcrossTenantsSeesAllAndWritesNothing() {
    assertThat(transactions.acrossTenants("test", TenantTransactionsIT::all))
        .containsExactly("acme's", "globex's", "older than tenants");
    assertThatThrownBy(
            () ->
                transactions.acrossTenants(
                    "test", handle -> handle.execute("UPDATE note SET text = 'x'")))
        .isInstanceOf(JdbiException.class);
    int deleted = transactions.acrossTenants("test", handle -> handle.execute("DELETE FROM note"));
    assertThat(deleted).isEqualTo(3);
  }

  @Test
  void oneTransactionGoesFromTenantToTenant() {
    transactions.inNone(
        transaction -> {
          add(TenantTransactions.enter(transaction, ACME), "a second");
          add(TenantTransactions.enter(transaction, GLOBEX), "another second");
          return null;
        });

    assertThat(transactions.inTenant(ACME, TenantTransactionsIT::all))
        .containsExactly("a second", "acme's");
    assertThat(transactions.inTenant(GLOBEX, TenantTransactionsIT::all))
        .containsExactly("another second", "globex's");
  }

  @Test
  void aServiceStartsOnlyWhereItIsBound() {
    jdbi.useHandle(RowSecurityGuard::check);

    jdbi.useHandle(handle -> handle.execute("ALTER TABLE note NO FORCE ROW LEVEL SECURITY"));
    assertThatThrownBy(() -> jdbi.useHandle(RowSecurityGuard::check))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("[note]");

    Jdbi asSuperuser =
        Jdbi.create(
            EmbeddedDatabase.create().replace("user=" + EmbeddedDatabase.USER, "user=postgres"));
    assertThatThrownBy(() -> asSuperuser.useHandle(RowSecurityGuard::check))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("superuser");
  }

  private void run(String script) throws IOException, SQLException {
    try (InputStream sql = getClass().getResourceAsStream(script)) {
      String text = new String(sql.readAllBytes(), StandardCharsets.UTF_8);
      // As a whole: bodies of functions hold semicolons.
      jdbi.useHandle(
          handle -> {
            try (var statement = handle.getConnection().createStatement()) {
              statement.execute(text);
            }
          });
    }
  }

  private static void add(Handle handle, String text) {
    handle.execute("INSERT INTO note (text) VALUES (?)", text);
  }

  private static List<String> all(Handle handle) {
    return handle.createQuery(EVERYTHING).mapTo(String.class).list();
  }
}
