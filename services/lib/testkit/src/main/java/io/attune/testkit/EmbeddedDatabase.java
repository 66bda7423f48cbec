package io.attune.testkit;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.UUID;

/** A real PostgreSQL server, once per JVM, with as many databases as tests want. */
public final class EmbeddedDatabase {

  /**
   * The owner of every database, whom row-level security binds as it must bind services; the server
   * trusts connections from this machine.
   */
  public static final String USER = "attune";

  private static final String SUPERUSER = "postgres";

  private static final Duration STARTUP = Duration.ofSeconds(90);

  private static EmbeddedPostgres server;

  private EmbeddedDatabase() {}

  /** A new empty database; returns its JDBC URL. */
  public static String create() {
    String name = "test_" + UUID.randomUUID().toString().replace("-", "");
    EmbeddedPostgres running = server();
    try (Connection connection = running.getPostgresDatabase().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("CREATE DATABASE " + name + " OWNER " + USER);
    } catch (SQLException failed) {
      throw new IllegalStateException("cannot create database " + name, failed);
    }
    return running.getJdbcUrl(USER, name);
  }

  private static void createUser(EmbeddedPostgres running) {
    try (Connection connection = running.getDatabase(SUPERUSER, "postgres").getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("CREATE ROLE " + USER + " LOGIN NOSUPERUSER NOBYPASSRLS");
    } catch (SQLException failed) {
      throw new IllegalStateException("cannot create the role " + USER, failed);
    }
  }

  private static synchronized EmbeddedPostgres server() {
    if (server == null) {
      try {
        server =
            EmbeddedPostgres.builder()
                .setLocaleConfig("locale", "C.UTF-8")
                // Its log quotes no values of rows and parameters: they are what people wrote.
                .setServerConfig("log_error_verbosity", "terse")
                .setServerConfig("log_parameter_max_length", "0")
                .setServerConfig("log_parameter_max_length_on_error", "0")
                .setServerConfig("log_min_error_statement", "panic")
                .setPGStartupWait(STARTUP) // a loaded machine takes more than the default's 10 s
                .start();
        createUser(server);
      } catch (IOException failed) {
        throw new UncheckedIOException("PostgreSQL did not start", failed);
      }
    }
    return server;
  }
}
