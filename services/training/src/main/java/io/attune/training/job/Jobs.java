package io.attune.training.job;

import io.attune.common.v1.ErrorCode;
import io.attune.platform.database.TenantTransactions;
import io.attune.platform.error.PlatformException;
import io.attune.platform.event.Outbox;
import io.attune.platform.identity.Tenant;
import io.attune.platform.time.Ids;
import io.attune.training.adapter.AdapterLines;
import io.attune.training.v1.TrainingJobChanged;
import io.attune.training.v1.TrainingSpec;
import io.smallrye.mutiny.Multi;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jdbi.v3.core.Handle;

/**
 * The jobs. A change of state, what goes with it in the database, and its event are one
 * transaction; a job is locked while it changes, so that of two changes at once the second one sees
 * what the first one made.
 */
@ApplicationScoped
public class Jobs {
  private final TenantTransactions transactions;
  private final JobStore store;
  private final JobFeed feed;
  private final AdapterLines lines;
  private final Outbox outbox;
  private final JobMetrics metrics;
  private final JobQuota quota;
  private final Clock clock;
  private final Ids ids;

  @Inject
  public Jobs(
      TenantTransactions transactions,
      JobStore store,
      JobFeed feed,
      AdapterLines lines,
      Outbox outbox,
      JobMetrics metrics,
      JobQuota quota,
      Clock clock,
      Ids ids) {
    this.transactions = transactions;
    this.store = store;
    this.feed = feed;
    this.lines = lines;
    this.outbox = outbox;
    this.metrics = metrics;
    this.quota = quota;
    this.clock = clock;
    this.ids = ids;
  }

  /** One change of a job, in its transaction. Returns the job's own state for no change. */
  @FunctionalInterface
  public interface Change {
    /** The next state. */
    JobState next(Handle handle, Job job);
  }

  /**
   * Creates a job, or returns the one that the same caller made with the same request id.
   *
   * @throws PlatformException INVALID_ARGUMENT when the spec or the request id is not valid,
   *     QUOTA_EXCEEDED when the tenant has as many jobs or adapters as it may
   */
  public Job create(Tenant tenant, String requestId, TrainingSpec spec, String createdBy) {
    return transactions.inTenant(
        tenant, handle -> create(tenant, handle, requestId, spec, createdBy));
  }

  /** Creates a job within a transaction of its tenant. */
  public Job create(
      Tenant tenant, Handle handle, String requestId, TrainingSpec spec, String createdBy) {
    requireUuid(requestId, "request_id");
    TrainingSpec checked = SpecRules.check(spec);
    Optional<Job> existing = store.findByRequest(handle, createdBy, requestId);
    if (existing.isPresent()) {
      return existing.get();
    }
    if (!checked.getAfterJobId().isEmpty()) {
      UUID after = requireUuid(checked.getAfterJobId(), "spec.after_job_id");
      if (store.find(handle, after).isEmpty()) {
        throw unknown(after);
      }
    }
    quota.require(tenant, handle);
    lines.ensure(handle, checked.getLine(), SpecRules.kind(checked));
    Instant now = now();
    Job job = new Job(tenant, ids.next(), checked, new JobState.Queued(), createdBy, now, now, 1);
    if (!store.insert(handle, job, requestId)) {
      // The same request at the same time: the other one was first.
      return store.findByRequest(handle, createdBy, requestId).orElseThrow();
    }
    announce(handle, job);
    return job;
  }

  /**
   * One job.
   *
   * @throws PlatformException NOT_FOUND when there is none
   */
  public Job get(Tenant tenant, String id) {
    UUID uuid = requireUuid(id, "id");
    return transactions
        .inTenant(tenant, handle -> store.find(handle, uuid))
        .orElseThrow(() -> unknown(uuid));
  }

  /** Jobs that came before one, newest first; all lines when {@code line} is empty. */
  public List<Job> list(Tenant tenant, String line, Optional<UUID> before, int limit) {
    return transactions.inTenant(tenant, handle -> store.list(handle, line, before, limit));
  }

  /** The span that made a job, as W3C's traceparent; empty where there was none. */
  public Optional<String> traceparent(Tenant tenant, UUID id) {
    return transactions.inTenant(tenant, handle -> store.traceparent(handle, id));
  }

  /** The jobs of all tenants that are not final, oldest first. */
  public List<Job> open() {
    return transactions.acrossTenants("open jobs", store::open);
  }

  /** The job as it is and then at each change, until it is final. */
  public Multi<Job> watch(Tenant tenant, String id) {
    return feed.watch(requireUuid(id, "id"), () -> get(tenant, id));
  }

  /** Ends a job; a final one stays as it is. */
  public Job cancel(Tenant tenant, String id) {
    return change(
        tenant,
        requireUuid(id, "id"),
        (handle, job) -> job.state() instanceof JobState.Open open ? open.cancel() : job.state());
  }

  /** Fails a job unless it is final. */
  public Job fail(Job failing, PlatformException reason) {
    return change(
        failing.tenant(),
        failing.id(),
        (handle, job) ->
            job.state() instanceof JobState.Open open
                ? open.fail(reason.toFailure())
                : job.state());
  }

  /** Changes a tenant's job. */
  public Job change(Tenant tenant, UUID id, Change change) {
    AtomicBoolean entered = new AtomicBoolean();
    Job after =
        transactions.inTenant(
            tenant,
            handle -> {
              Job before = store.lock(handle, id).orElseThrow(() -> unknown(id));
              JobState next = change.next(handle, before);
              if (next.equals(before.state())) {
                return before;
              }
              Job changed = before.in(next, now());
              store.update(handle, changed);
              entered.set(next.getClass() != before.state().getClass());
              if (entered.get()) {
                announce(handle, changed);
              }
              return changed;
            });
    outbox.wake();
    feed.changed(after);
    if (entered.get()) {
      metrics.entered(after);
    }
    return after;
  }

  private void announce(Handle handle, Job job) {
    outbox.add(
        handle,
        TrainingJobChanged.newBuilder().setJob(JobMessages.toMessage(job)).build(),
        "job/" + job.id() + "/" + job.revision(),
        job.updateTime());
  }

  /** To the microsecond, as the database keeps it: what is told now is what is read later. */
  private Instant now() {
    return clock.instant().truncatedTo(ChronoUnit.MICROS);
  }

  private static UUID requireUuid(String text, String field) {
    try {
      return UUID.fromString(text);
    } catch (IllegalArgumentException e) {
      throw new PlatformException(
          ErrorCode.ERROR_CODE_INVALID_ARGUMENT, "`" + field + "` must be a UUID.");
    }
  }

  private static PlatformException unknown(UUID id) {
    return new PlatformException(ErrorCode.ERROR_CODE_NOT_FOUND, "There is no job " + id + ".");
  }
}
