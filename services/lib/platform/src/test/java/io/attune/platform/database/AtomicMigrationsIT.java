package io.attune.platform.database;

import static org.assertj.core.api.Assertions.assertThat;

import io.attune.testkit.EmbeddedDatabase;
import io.quarkus.flyway.FlywayConfigurationCustomizer;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.configuration.FluentConfiguration;
import org.flywaydb.core.internal.jdbc.DriverDataSource;
import org.junit.jupiter.api.Test;

/** A service that ends in the middle of its migrations goes on with them at its next start. */
class AtomicMigrationsIT {

  private static final int NEVER = Integer.MAX_VALUE;

  @Test
  void anyCommitMayBeTheLastThingThatAServiceDoes() {
    assertThat(fatalCommits(new AtomicMigrations())).isEmpty();
  }

  /** So that the test above is known to be able to fail. */
  @Test
  void flywaysDefaultDoesNotSurviveEveryCommit() {
    assertThat(fatalCommits(configuration -> {})).isNotEmpty();
  }

  /** After which commits of a service's first start all later ones fail. */
  private static List<Integer> fatalCommits(FlywayConfigurationCustomizer customizer) {
    EndingAfterCommit whole = new EndingAfterCommit(EmbeddedDatabase.create(), NEVER);
    assertThat(migrates(whole, customizer)).isTrue();
    int ended = 0;
    List<Integer> fatal = new ArrayList<>();
    for (int last = 1; last <= whole.commits(); last++) {
      String url = EmbeddedDatabase.create();
      if (!migrates(new EndingAfterCommit(url, last), customizer)) {
        ended++;
      }
      if (!migrates(new EndingAfterCommit(url, NEVER), customizer)) {
        fatal.add(last);
      }
    }
    assertThat(ended).isGreaterThan(3);
    return fatal;
  }

  private static boolean migrates(
      EndingAfterCommit source, FlywayConfigurationCustomizer customizer) {
    FluentConfiguration configuration =
        Flyway.configure().dataSource(source).locations("classpath:db/platform");
    customizer.customize(configuration);
    Flyway flyway = configuration.load();
    try {
      flyway.migrate();
      return flyway.info().pending().length == 0;
    } catch (FlywayException ended) {
      return false;
    }
  }

  /** Connections that all break when one of them has committed for the n-th time. */
  private static final class EndingAfterCommit extends DriverDataSource {
    private final AtomicInteger commits = new AtomicInteger();
    private final int last;

    EndingAfterCommit(String url, int last) {
      super(
          EndingAfterCommit.class.getClassLoader(),
          "org.postgresql.Driver",
          url,
          EmbeddedDatabase.USER,
          EmbeddedDatabase.USER);
      this.last = last;
    }

    int commits() {
      return commits.get();
    }

    @Override
    protected Connection getConnectionFromDriver(String user, String password) throws SQLException {
      Connection real = super.getConnectionFromDriver(user, password);
      return (Connection)
          Proxy.newProxyInstance(
              getClass().getClassLoader(),
              new Class<?>[] {Connection.class},
              (proxy, method, arguments) -> {
                if (commits.get() >= last && !method.getName().equals("close")) {
                  real.abort(Runnable::run);
                }
                try {
                  Object result = method.invoke(real, arguments);
                  if (method.getName().equals("commit") && commits.incrementAndGet() >= last) {
                    real.abort(Runnable::run);
                    throw new SQLException("the connection ended", "08006");
                  }
                  return result;
                } catch (InvocationTargetException failed) {
                  throw failed.getCause();
                }
              });
    }
  }
}
