package io.attune.ingestion;

import static org.assertj.core.api.Assertions.assertThat;

import io.attune.testkit.Infrastructure;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import org.flywaydb.core.Flyway;
import org.flywaydb.database.postgresql.PostgreSQLConfigurationExtension;
import org.junit.jupiter.api.Test;

/** The service migrates as {@code AtomicMigrationsIT} shows to survive its end at any moment. */
@QuarkusTest
@WithTestResource(Infrastructure.class)
class MigrationsIT {

  @Inject Flyway flyway;

  @Test
  void aMigrationAndItsNoteAreOneTransaction() {
    assertThat(
            flyway
                .getConfiguration()
                .getPluginRegister()
                .getPlugin(PostgreSQLConfigurationExtension.class)
                .isTransactionalLock())
        .isFalse();
  }
}
