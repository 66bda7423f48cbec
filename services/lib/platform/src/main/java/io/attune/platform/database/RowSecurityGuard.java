package io.attune.platform.database;

import io.quarkus.arc.properties.IfBuildProperty;
import io.quarkus.runtime.StartupEvent;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.util.List;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;

/**
 * Lets a service start only where PostgreSQL really keeps tenants apart: as a role that row-level
 * security binds, on tables that have it.
 */
@ApplicationScoped
@IfBuildProperty(name = "quarkus.datasource.db-kind", stringValue = "postgresql")
public class RowSecurityGuard {

  private static final String BYPASSES =
      "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user";

  private static final String OPEN_TABLES =
      """
      SELECT class.relname FROM pg_class class
      JOIN pg_namespace space ON space.oid = class.relnamespace
      JOIN pg_attribute tenant ON tenant.attrelid = class.oid AND tenant.attname = 'tenant'
      WHERE space.nspname = current_schema() AND class.relkind IN ('r', 'p')
        AND NOT (class.relrowsecurity AND class.relforcerowsecurity
          AND EXISTS (SELECT 1 FROM pg_policy WHERE polrelid = class.oid))
      ORDER BY 1
      """;

  private final Jdbi jdbi;

  RowSecurityGuard(Jdbi jdbi) {
    this.jdbi = jdbi;
  }

  /** Before anything reads or writes. */
  void onStart(@Observes @Priority(1) StartupEvent started) {
    jdbi.useHandle(RowSecurityGuard::check);
  }

  /**
   * @throws IllegalStateException if the role or a table is not bound, saying what to change
   */
  static void check(Handle handle) {
    if (handle.createQuery(BYPASSES).mapTo(Boolean.class).one()) {
      throw new IllegalStateException(
          "The database role of quarkus.datasource.username is a superuser or has BYPASSRLS, so that"
              + " nothing would keep tenants apart; log in as a role with NOSUPERUSER NOBYPASSRLS"
              + " that owns the schema.");
    }
    List<String> open = handle.createQuery(OPEN_TABLES).mapTo(String.class).list();
    if (!open.isEmpty()) {
      throw new IllegalStateException(
          "Tables have a column tenant and no row-level security that binds their owner: " + open);
    }
  }
}
