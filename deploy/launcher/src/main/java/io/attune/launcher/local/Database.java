package io.attune.launcher.local;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * PostgreSQL. Its processes are no children of this JVM, so a guard holds a pipe from the launcher
 * and stops the server when the launcher is gone.
 */
final class Database implements AutoCloseable {
  /** Waits for the pipe's end, then asks the server for a fast shutdown, by the pid it wrote. */
  private static final String GUARD =
      "read -r line; pid=$(head -n 1 \"$1/postmaster.pid\" 2>/dev/null) && kill -INT \"$pid\"";

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

  private static final long STOP_SECONDS = 15;

  private final EmbeddedPostgres postgres;
  private final ChildProcess guard;
  private final long pid;

  private Database(EmbeddedPostgres postgres, ChildProcess guard, long pid) {
    this.postgres = postgres;
    this.guard = guard;
    this.pid = pid;
  }

  /**
   * Starts it.
   *
   * @param cache where the server's programs are unpacked, once for all data folders
   */
  static Database start(DataFolder data, Path cache, int port) {
    Path folder = data.root().resolve("postgres");
    // The guard comes first: there is no moment in which the server runs without one.
    ChildProcess guard =
        ChildProcess.start(
            "postgres-guard",
            List.of("sh", "-c", GUARD, "postgres-guard", folder.toString()),
            Map.of(),
            data.folder("logs"));
    ProcessBuilder.Redirect log =
        ProcessBuilder.Redirect.appendTo(data.folder("logs").resolve("postgres.log").toFile());
    try {
      Files.createDirectories(cache.resolve("postgres"));
      EmbeddedPostgres postgres =
          EmbeddedPostgres.builder()
              .setPort(port)
              .setDataDirectory(folder)
              .setCleanDataDirectory(false)
              .setRegisterShutdownHook(false)
              .setOverrideWorkingDirectory(cache.resolve("postgres").toFile())
              .setLocaleConfig("locale", "C.UTF-8")
              .setServerConfig("listen_addresses", "127.0.0.1")
              .setServerConfig("shared_buffers", "32MB")
              .setServerConfig("max_connections", "60")
              .setErrorRedirector(log)
              .setOutputRedirector(log)
              .start();
      createUser(postgres);
      long pid =
          Long.parseLong(Files.readAllLines(folder.resolve("postmaster.pid")).get(0).strip());
      return new Database(postgres, guard, pid);
    } catch (IOException | RuntimeException e) {
      guard.stop(1000);
      throw new LauncherException(
          "PostgreSQL does not start, see " + data.folder("logs").resolve("postgres.log"), e);
    }
  }

  private static void createUser(EmbeddedPostgres postgres) throws IOException {
    try (Connection connection = postgres.getPostgresDatabase().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(ROLE);
    } catch (SQLException e) {
      throw new IOException("the services' role cannot be made", e);
    }
  }

  String jdbcUrl() {
    return postgres.getJdbcUrl(USER, "postgres");
  }

  long pid() {
    return pid;
  }

  /** Completes when the server ends. */
  CompletableFuture<ProcessHandle> onExit() {
    return ProcessHandle.of(pid)
        .map(ProcessHandle::onExit)
        .orElseGet(() -> CompletableFuture.completedFuture(null));
  }

  @Override
  public void close() {
    try {
      CompletableFuture<ProcessHandle> exit = onExit();
      postgres.close();
      exit.get(STOP_SECONDS, TimeUnit.SECONDS);
    } catch (IOException | ExecutionException | TimeoutException e) {
      throw new LauncherException("PostgreSQL, process " + pid + ", does not stop", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      guard.stop(2000);
    }
  }
}
