package io.attune.platform.database;

import io.quarkus.arc.properties.IfBuildProperty;
import io.quarkus.flyway.FlywayConfigurationCustomizer;
import jakarta.inject.Singleton;
import org.flywaydb.core.api.configuration.FluentConfiguration;
import org.flywaydb.database.postgresql.PostgreSQLConfigurationExtension;

/**
 * Lets a migration and the note that it has been applied be one transaction.
 *
 * <p>By default Flyway holds its lock in a transaction of its own, on a second connection, which
 * also writes that note: a service that is killed between the two commits, or does not hear of the
 * first, tries the same migration at every start from then on, and never gets past it. With a lock
 * of the session there is one connection for both.
 */
@Singleton
@IfBuildProperty(name = "quarkus.datasource.db-kind", stringValue = "postgresql")
public class AtomicMigrations implements FlywayConfigurationCustomizer {

  @Override
  public void customize(FluentConfiguration configuration) {
    configuration
        .getPluginRegister()
        .getPlugin(PostgreSQLConfigurationExtension.class)
        .setTransactionalLock(false);
  }
}
