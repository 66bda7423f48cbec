package io.attune.platform.database;

import io.quarkus.arc.properties.IfBuildProperty;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;
import java.time.OffsetDateTime;
import javax.sql.DataSource;
import org.jdbi.v3.core.Jdbi;
import org.jdbi.v3.core.statement.StatementExceptions;
import org.jdbi.v3.postgres.PostgresPlugin;

/** Jdbi, in services whose application.properties name a PostgreSQL data source. */
@IfBuildProperty(name = "quarkus.datasource.db-kind", stringValue = "postgresql")
public class DatabaseBeans {

  @Produces
  @Singleton
  Jdbi jdbi(DataSource dataSource) {
    return configure(Jdbi.create(dataSource));
  }

  @Produces
  @Singleton
  TenantTransactions transactions(Jdbi jdbi) {
    return new TenantTransactions(jdbi);
  }

  /** What every Jdbi here has, tests' included. */
  public static Jdbi configure(Jdbi jdbi) {
    jdbi.installPlugin(new PostgresPlugin());
    jdbi.registerArrayType(OffsetDateTime.class, "timestamptz");
    // Statements' arguments hold what people wrote, which must not come into logs.
    jdbi.getConfig(StatementExceptions.class)
        .setMessageRendering(StatementExceptions.MessageRendering.NONE);
    return jdbi;
  }
}
