package io.attune.training.adapter;

import io.attune.platform.identity.Tenant;
import io.attune.training.Messages;
import io.attune.training.v1.Adapter;
import io.attune.training.v1.LineKind;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jdbi.v3.core.Handle;

/** Adapters and their lines in the database. Every method runs in its caller's transaction. */
@ApplicationScoped
public class AdapterStore {
  /**
   * A line's row.
   *
   * @param lastVersion the newest version, released or not; 0 before the first
   * @param activeVersion the version that is served; 0 is the base model
   * @param revision grows with each change
   */
  public record Line(
      String name, LineKind kind, long lastVersion, long activeVersion, long revision) {}

  /** A line's name, and whose it is. */
  record Owned(Tenant tenant, String line) {}

  /** Creates the line unless it exists. */
  void insertLine(Handle handle, String line, LineKind kind) {
    handle
        .createUpdate(
            "insert into adapter_line (line, kind) values (:line, :kind) on conflict do nothing")
        .bind("line", line)
        .bind("kind", kind.name())
        .execute();
  }

  /** A line. */
  public Optional<Line> findLine(Handle handle, String line) {
    return selectLine(handle, line, "");
  }

  /** A line, locked until the transaction ends. */
  Optional<Line> lockLine(Handle handle, String line) {
    return selectLine(handle, line, " for update");
  }

  private static Optional<Line> selectLine(Handle handle, String line, String lock) {
    return handle
        .createQuery("select * from adapter_line where line = :line" + lock)
        .bind("line", line)
        .map(
            (row, context) ->
                new Line(
                    row.getString("line"),
                    LineKind.valueOf(row.getString("kind")),
                    row.getLong("last_version"),
                    row.getLong("active_version"),
                    row.getLong("revision")))
        .findOne();
  }

  /** The lines of all tenants, in a transaction across them. */
  List<Owned> lines(Handle acrossTenants) {
    return acrossTenants
        .createQuery("select tenant, line from adapter_line order by tenant, line")
        .map((row, context) -> new Owned(new Tenant(row.getString(1)), row.getString(2)))
        .list();
  }

  /**
   * Writes the line's next state if nobody changed it since it was read.
   *
   * @param now makes the next revision later than any that a lost state of the database may have
   *     had
   * @return false when its revision is another one by now
   */
  boolean compareAndSet(
      Handle handle, Line read, long lastVersion, long activeVersion, Instant now) {
    return handle
            .createUpdate(
                """
                update adapter_line set last_version = :last, active_version = :active,
                  revision = greatest(revision + 1, :now)
                where line = :line and revision = :revision
                """)
            .bind("last", lastVersion)
            .bind("active", activeVersion)
            .bind("now", now.toEpochMilli())
            .bind("line", read.name())
            .bind("revision", read.revision())
            .execute()
        == 1;
  }

  void insert(Handle handle, Adapter adapter) {
    handle
        .createUpdate(
            """
            insert into adapter (line, version, job_id, parent_version, body)
            values (:line, :version, :job, :parent, cast(:body as jsonb))
            """)
        .bind("line", adapter.getVersion().getLine())
        .bind("version", adapter.getVersion().getVersion())
        .bind("job", UUID.fromString(adapter.getJobId()))
        .bind("parent", adapter.getParent().getVersion())
        .bind("body", Messages.toJson(adapter))
        .execute();
  }

  void markReleased(Handle handle, String line, long version, Instant now) {
    handle
        .createUpdate(
            """
            update adapter set release_time = coalesce(release_time, :now)
            where line = :line and version = :version
            """)
        .bind("now", now.atOffset(ZoneOffset.UTC))
        .bind("line", line)
        .bind("version", version)
        .execute();
  }

  boolean wasReleased(Handle handle, String line, long version) {
    return handle
        .createQuery(
            """
            select exists (select 1 from adapter
              where line = :line and version = :version and release_time is not null)
            """)
        .bind("line", line)
        .bind("version", version)
        .mapTo(Boolean.class)
        .one();
  }

  /** An adapter; empty for version 0, which is none. */
  public Optional<Adapter> find(Handle handle, String line, long version) {
    return handle
        .createQuery("select body from adapter where line = :line and version = :version")
        .bind("line", line)
        .bind("version", version)
        .mapTo(String.class)
        .map(AdapterStore::read)
        .findOne();
  }

  /** How many adapters the tenant has, without those of rollouts, whose files are deleted. */
  public long count(Handle handle) {
    return handle
        .createQuery("select count(*) from adapter where line not like '%.rollouts'")
        .mapTo(Long.class)
        .one();
  }

  /** The adapters of a line below a version, newest first. */
  List<Adapter> list(Handle handle, String line, long below, int limit) {
    return handle
        .createQuery(
            """
            select body from adapter where line = :line and version < :below
            order by version desc limit :limit
            """)
        .bind("line", line)
        .bind("below", below)
        .bind("limit", limit)
        .mapTo(String.class)
        .map(AdapterStore::read)
        .list();
  }

  /** The versions that an adapter descends from, newest first. A parent is older than its child. */
  List<Adapter> ancestors(Handle handle, String line, long version) {
    return handle
        .createQuery(
            """
            with recursive descent as (
              select version, parent_version from adapter
                where line = :line and version = :version
              union
              select a.version, a.parent_version from adapter a
                join descent d on a.version = d.parent_version
                where a.line = :line)
            select body from adapter join descent using (version)
            where line = :line and version < :version order by version desc
            """)
        .bind("line", line)
        .bind("version", version)
        .mapTo(String.class)
        .map(AdapterStore::read)
        .list();
  }

  private static Adapter read(String body) {
    return Messages.fromJson(body, Adapter.newBuilder()).build();
  }
}
