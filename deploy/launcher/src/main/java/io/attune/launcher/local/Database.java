package io.attune.launcher.local;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * PostgreSQL. Its processes are no children of this JVM, so a guard holds a pipe from the launcher
 * and stops the server when the launcher is gone.
 */
final class Database implements Part, AutoCloseable {
  /** Waits for the pipe's end, then asks the server for a fast shutdown, by the pid it wrote. */
  private static final String GUARD =
      "read -r line; pid=$(head -n 1 \"$1/postmaster.pid\" 2>/dev/null) && kill -INT \"$pid\"";

  /** After a kill it first reads its log of writes again. */
  private static final Duration START_LIMIT = Duration.ofSeconds(60);

  /**
   * Whom the services log in as: no superuser, so that row-level security binds it. The server
   * trusts connections from this machine.
   */
  static final String USER = "attune";

  /** Also takes over the schemas of data folders in which services were superusers. */
  private static final String ROLE =
      """
      DO $$
      DECLARE
        entry record;
      BEGIN
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'attune') THEN
          CREATE ROLE attune LOGIN NOSUPERUSER NOBYPASSRLS;
        END IF;
        GRANT CREATE, CONNECT ON DATABASE postgres TO attune;
        FOR entry IN SELECT nspname FROM pg_namespace WHERE nspname IN ('ingestion', 'training') LOOP
          EXECUTE format('ALTER SCHEMA %I OWNER TO attune', entry.nspname);
        END LOOP;
        FOR entry IN SELECT schemaname, tablename FROM pg_tables
          WHERE schemaname IN ('ingestion', 'training') AND tableowner <> 'attune' LOOP
          EXECUTE format('ALTER TABLE %I.%I OWNER TO attune', entry.schemaname, entry.tablename);
        END LOOP;
      END
      $$
      """;

  private final Path folder;
  private final Path logs;
  private final Path programs;
  private final int port;
  private ChildProcess guard;
  private PostgresProcess last;

  /**
   * @param cache where the server's programs are unpacked, once for all data folders
   */
  Database(DataFolder data, Path cache, int port) {
    this.folder = data.root().resolve("postgres");
    this.logs = data.folder("logs");
    this.programs = cache.resolve("postgres");
    this.port = port;
  }

  @Override
  public String id() {
    return "postgres";
  }

  @Override
  public String url() {
    return "127.0.0.1:" + port;
  }

  String jdbcUrl() {
    return "jdbc:postgresql://" + url() + "/postgres?user=" + USER;
  }

  @Override
  public Run start() {
    if (guard == null) {
      // The guard comes first: there is no moment in which the server runs without one.
      guard =
          ChildProcess.start(
              "postgres-guard",
              List.of("sh", "-c", GUARD, "postgres-guard", folder.toString()),
              Map.of(),
              logs);
    }
    if (last != null) {
      last.release();
    }
    Path log = logs.resolve("postgres.log");
    try {
      EmbeddedPostgres server = startServer(ProcessBuilder.Redirect.appendTo(log.toFile()));
      String pid = Files.readAllLines(folder.resolve("postmaster.pid")).get(0).strip();
      Files.writeString(logs.resolve("postgres.pid"), pid + "\n");
      // Known from here on, so that whatever fails next stops it before it is started again.
      last = new PostgresProcess(server, Long.parseLong(pid), log);
      createUser(server);
      return new DatabaseRun(last);
    } catch (IOException | RuntimeException e) {
      throw new LauncherException("PostgreSQL does not start, see " + log, e);
    }
  }

  private EmbeddedPostgres startServer(ProcessBuilder.Redirect log) throws IOException {
    Files.createDirectories(programs);
    return EmbeddedPostgres.builder()
        .setPort(port)
        .setDataDirectory(folder)
        .setCleanDataDirectory(false)
        .setRegisterShutdownHook(false)
        .setOverrideWorkingDirectory(programs.toFile())
        .setPGStartupWait(START_LIMIT)
        .setLocaleConfig("locale", "C.UTF-8")
        // The library's defaults are for tests: commits are lost when the process is.
        .setServerConfig("fsync", "on")
        .setServerConfig("synchronous_commit", "on")
        .setServerConfig("full_page_writes", "on")
        .setServerConfig("listen_addresses", "127.0.0.1")
        .setServerConfig("shared_buffers", "32MB")
        .setServerConfig("max_connections", "60")
        // Its log quotes no values of rows and parameters: they are what people wrote.
        .setServerConfig("log_error_verbosity", "terse")
        .setServerConfig("log_parameter_max_length", "0")
        .setServerConfig("log_parameter_max_length_on_error", "0")
        .setServerConfig("log_min_error_statement", "panic")
        .setErrorRedirector(log)
        .setOutputRedirector(log)
        .start();
  }

  private static void createUser(EmbeddedPostgres server) throws IOException {
    try (Connection connection = server.getPostgresDatabase().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(ROLE);
    } catch (SQLException e) {
      throw new IOException("the services' role cannot be made", e);
    }
  }

  /** Ends the guard, when the server has been stopped. */
  @Override
  public void close() {
    if (guard != null) {
      guard.stop(2000);
    }
  }

  /** One run; a server that has been started answers. */
  private record DatabaseRun(PostgresProcess process) implements Run {
    @Override
    public boolean ready() {
      return process.alive();
    }
  }
}
