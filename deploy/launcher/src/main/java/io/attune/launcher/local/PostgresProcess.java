package io.attune.launcher.local;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** A PostgreSQL server, by its first process. */
final class PostgresProcess implements RunningProcess {
  private final EmbeddedPostgres server;
  private final long pid;
  private final Path log;
  private final Optional<ProcessHandle> handle;

  PostgresProcess(EmbeddedPostgres server, long pid, Path log) {
    this.server = server;
    this.pid = pid;
    this.log = log;
    this.handle = ProcessHandle.of(pid);
  }

  @Override
  public long pid() {
    return pid;
  }

  @Override
  public Path log() {
    return log;
  }

  boolean alive() {
    return handle.map(ProcessHandle::isAlive).orElse(false);
  }

  @Override
  public CompletableFuture<ProcessHandle> onExit() {
    return handle
        .map(ProcessHandle::onExit)
        .orElseGet(() -> CompletableFuture.completedFuture(null));
  }

  /** The status of a process that is nobody's child here is not known. */
  @Override
  public String ending() {
    return "unasked";
  }

  /** Gives the folder's lock back; a server that runs still is asked to stop. */
  void release() {
    try {
      server.close();
    } catch (IOException e) {
      throw new LauncherException("PostgreSQL, process " + pid + ", does not stop", e);
    }
  }

  @Override
  public void stop(long limitMillis) {
    release();
    try {
      onExit().get(limitMillis, TimeUnit.MILLISECONDS);
    } catch (ExecutionException | TimeoutException e) {
      handle.ifPresent(ProcessHandle::destroyForcibly);
      throw new LauncherException("PostgreSQL, process " + pid + ", does not stop: killed", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
