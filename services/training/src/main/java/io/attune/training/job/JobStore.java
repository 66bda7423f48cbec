package io.attune.training.job;

import io.attune.platform.identity.Tenant;
import io.attune.platform.telemetry.TraceParent;
import io.attune.training.Messages;
import io.attune.training.v1.TrainingJob;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.statement.StatementContext;

/** Jobs in the database. Every method runs in its caller's transaction. */
@ApplicationScoped
public class JobStore {
  private static final String COLUMNS =
      "select tenant, body, parent_version, revision from training_job ";
  private static final String OPEN =
      "state in ('STATE_QUEUED', 'STATE_TRAINING', 'STATE_EVALUATING')";

  /**
   * Stores a new job of the transaction's tenant, made by the span under way; false when its
   * creator has used the request id before.
   */
  boolean insert(Handle handle, Job job, String requestId) {
    String after = job.spec().getAfterJobId();
    return handle
            .createUpdate(
                """
                insert into training_job
                  (id, request_id, created_by, line, state, after_job_id, revision, update_time, body,
                   traceparent)
                values (:id, :request, :createdBy, :line, :state, :after, :revision, :time,
                  cast(:body as jsonb), :traceparent)
                on conflict (created_by, request_id, tenant) do nothing
                """)
            .bind("id", job.id())
            .bind("request", requestId)
            .bind("createdBy", job.createdBy())
            .bind("line", job.spec().getLine())
            .bind("state", JobMessages.state(job.state()).name())
            .bind("after", after.isEmpty() ? null : UUID.fromString(after))
            .bind("revision", job.revision())
            .bind("time", job.updateTime().atOffset(ZoneOffset.UTC))
            .bind("body", Messages.toJson(JobMessages.toMessage(job)))
            .bind("traceparent", TraceParent.current())
            .execute()
        == 1;
  }

  /** The span that made a job, as W3C's traceparent; empty where there was none. */
  Optional<String> traceparent(Handle handle, UUID id) {
    return handle
        .createQuery("select traceparent from training_job where id = :id")
        .bind("id", id)
        .mapTo(String.class)
        .findOne();
  }

  /** Writes a job's new state. The caller has locked the row. */
  void update(Handle handle, Job job) {
    handle
        .createUpdate(
            """
            update training_job set state = :state, parent_version = :parent, revision = :revision,
              update_time = :time, body = cast(:body as jsonb)
            where id = :id
            """)
        .bind("id", job.id())
        .bind("state", JobMessages.state(job.state()).name())
        .bind("parent", job.state().work().parentVersion())
        .bind("revision", job.revision())
        .bind("time", job.updateTime().atOffset(ZoneOffset.UTC))
        .bind("body", Messages.toJson(JobMessages.toMessage(job)))
        .execute();
  }

  /** One job. */
  public Optional<Job> find(Handle handle, UUID id) {
    return handle
        .createQuery(COLUMNS + "where id = :id")
        .bind("id", id)
        .map(JobStore::read)
        .findOne();
  }

  /** One job, locked until the transaction ends. */
  Optional<Job> lock(Handle handle, UUID id) {
    return handle
        .createQuery(COLUMNS + "where id = :id for update")
        .bind("id", id)
        .map(JobStore::read)
        .findOne();
  }

  Optional<Job> findByRequest(Handle handle, String createdBy, String requestId) {
    return handle
        .createQuery(COLUMNS + "where created_by = :createdBy and request_id = :request")
        .bind("createdBy", createdBy)
        .bind("request", requestId)
        .map(JobStore::read)
        .findOne();
  }

  /** Jobs that came before one, newest first; all lines when {@code line} is empty. */
  List<Job> list(Handle handle, String line, Optional<UUID> before, int limit) {
    return handle
        .createQuery(
            COLUMNS
                + """
                where (:line = '' or line = :line) and (cast(:before as uuid) is null or id < :before)
                order by id desc limit :limit
                """)
        .bind("line", line)
        .bind("before", before.orElse(null))
        .bind("limit", limit)
        .map(JobStore::read)
        .list();
  }

  /** The jobs that are not final, oldest first. */
  public List<Job> open(Handle handle) {
    return handle
        .createQuery(COLUMNS + "where " + OPEN + " order by id")
        .map(JobStore::read)
        .list();
  }

  /** How many jobs of the tenant are not final. No other one is created meanwhile. */
  long countOpen(Handle handle) {
    handle.execute(
        "select pg_advisory_xact_lock(hashtext(current_schema() || '.jobs.'"
            + " || current_setting('attune.tenant')))");
    return handle
        .createQuery("select count(*) from training_job where " + OPEN)
        .mapTo(Long.class)
        .one();
  }

  /** Whether a job of one of the lines that a trigger created is not final yet. */
  public boolean hasOpenRound(Handle handle, List<String> lines) {
    return handle
        .createQuery(
            "select exists (select 1 from training_job where line in (<lines>)"
                + " and created_by like 'trigger:%' and "
                + OPEN
                + ")")
        .bindList("lines", lines)
        .mapTo(Boolean.class)
        .one();
  }

  private static Job read(ResultSet row, StatementContext context) throws SQLException {
    TrainingJob message =
        Messages.fromJson(row.getString("body"), TrainingJob.newBuilder()).build();
    return JobMessages.fromMessage(
        new Tenant(row.getString("tenant")),
        message,
        row.getLong("parent_version"),
        row.getLong("revision"));
  }
}
