package io.attune.training.trigger;

import io.attune.common.v1.ErrorCode;
import io.attune.platform.database.TenantTransactions;
import io.attune.platform.error.PlatformException;
import io.attune.platform.event.Outbox;
import io.attune.platform.identity.Tenant;
import io.attune.platform.telemetry.Spans;
import io.attune.platform.telemetry.TraceParent;
import io.attune.platform.time.Ids;
import io.attune.training.TrainingConfig;
import io.attune.training.TrainingConfig.Trigger;
import io.attune.training.job.Job;
import io.attune.training.job.JobState;
import io.attune.training.job.JobStore;
import io.attune.training.job.Jobs;
import io.attune.training.job.SpecRules;
import io.attune.training.v1.TrainingSpec;
import io.opentelemetry.api.trace.Span;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jboss.logging.Logger;
import org.jdbi.v3.core.Handle;

/**
 * Counts new ratings and starts rounds: a reward job, and a policy job after it. The count is set
 * back in the transaction that creates the jobs, so that no rating starts two rounds.
 */
@ApplicationScoped
public class RatingTrigger {
  private static final Logger LOG = Logger.getLogger(RatingTrigger.class);

  private final TenantTransactions transactions;
  private final Jobs jobs;
  private final JobStore store;
  private final Outbox outbox;
  private final Trigger config;
  private final Clock clock;
  private final Ids ids;
  private final TriggerRule rule;

  @Inject
  public RatingTrigger(
      TenantTransactions transactions,
      Jobs jobs,
      JobStore store,
      Outbox outbox,
      TrainingConfig config,
      Clock clock,
      Ids ids) {
    this.transactions = transactions;
    this.jobs = jobs;
    this.store = store;
    this.outbox = outbox;
    this.config = config.trigger();
    this.clock = clock;
    this.ids = ids;
    this.rule =
        new TriggerRule(
            this.config.ratings(), this.config.interval(), this.config.minimumRatings());
    if (this.config.line().isPresent()) {
      // Settings that make no job are refused at start, not when the thousandth rating comes.
      RoundSpecs.reward(this.config);
      RoundSpecs.policy(this.config);
    }
  }

  /** Counts accepted ratings by data set, in the transaction that advances the inbox. */
  void count(Handle handle, Map<String, NewRatings> ratings) {
    ratings.forEach(
        (dataset, fresh) ->
            handle
                .createUpdate(
                    """
                    insert into trigger_count (dataset, ratings, since, traceparent)
                    values (:dataset, :count, :now, :traceparent)
                    on conflict (dataset, tenant) do update set
                      ratings = trigger_count.ratings + excluded.ratings,
                      traceparent = case when :recorded then excluded.traceparent
                        else coalesce(trigger_count.traceparent, excluded.traceparent) end
                    """)
                .bind("dataset", dataset)
                .bind("count", fresh.count())
                .bind("traceparent", fresh.traceparent())
                .bind("recorded", TraceParent.isSampled(fresh.traceparent()))
                .bind("now", clock.instant().atOffset(ZoneOffset.UTC))
                .execute());
  }

  /** Starts a round of each tenant for which one is due and none of the line is under way. */
  public void look() {
    if (config.line().isEmpty()) {
      return;
    }
    for (Tenant tenant : transactions.acrossTenants("tenants with ratings", this::tenants)) {
      try {
        if (transactions.inTenant(tenant, handle -> look(tenant, handle))) {
          outbox.wake();
        }
      } catch (PlatformException refused) {
        if (refused.code() != ErrorCode.ERROR_CODE_QUOTA_EXCEEDED) {
          throw refused;
        }
        // Its count stays: the round begins when there is room, and no other tenant waits.
        LOG.debugf("a round waits tenant=%s: %s", tenant, refused.getMessage());
      }
    }
  }

  private List<Tenant> tenants(Handle acrossTenants) {
    return acrossTenants
        .createQuery("select tenant from trigger_count where dataset = :dataset order by tenant")
        .bind("dataset", config.dataset())
        .map((row, context) -> new Tenant(row.getString("tenant")))
        .list();
  }

  /**
   * @param refreshed how many of the ratings the reward model was refreshed with
   * @param traceparent of the rating whose trace the next jobs continue
   */
  private record Count(long ratings, Instant since, long refreshed, String traceparent) {
    /** A span of what the ratings bring about. */
    Span begin(String name) {
      return Spans.of(name, TraceParent.context(traceparent))
          .setAttribute("attune.ratings", ratings)
          .startSpan();
    }
  }

  private boolean look(Tenant tenant, Handle handle) {
    Optional<Count> count =
        handle
            .createQuery("select * from trigger_count where dataset = :dataset for update")
            .bind("dataset", config.dataset())
            .map(
                (row, context) ->
                    new Count(
                        row.getLong("ratings"),
                        row.getObject("since", OffsetDateTime.class).toInstant(),
                        row.getLong("refreshed"),
                        row.getString("traceparent")))
            .findOne();
    Instant now = clock.instant();
    Optional<String> by =
        count.flatMap(c -> rule.due(c.ratings(), Duration.between(c.since(), now)));
    List<String> lines = List.of(config.line().orElseThrow(), config.rewardLine());
    if (count.isPresent() && isRefreshDue(handle, count.get())) {
      Spans.run(
          count.get().begin("refresh reward model"), () -> refresh(tenant, handle, count.get()));
      return true;
    }
    if (by.isEmpty() || store.hasOpenRound(handle, lines)) {
      return false;
    }
    long ratings = count.get().ratings();
    Spans.run(
        count.get().begin("start round"), () -> start(tenant, handle, ratings, by.get(), now));
    return true;
  }

  /**
   * Whether a job of the line learns online from a reward model that has not seen enough of the new
   * ratings. One refresh at a time.
   */
  private boolean isRefreshDue(Handle handle, Count count) {
    long unseen = count.ratings() - count.refreshed();
    if (config.refreshRatings() == 0 || unseen < config.refreshRatings()) {
      return false;
    }
    List<Job> open = store.open(handle);
    boolean learns =
        open.stream()
            .anyMatch(
                job ->
                    job.spec().getLine().equals(config.line().orElseThrow())
                        && SpecRules.isOnline(job.spec())
                        && SpecRules.refreshesReward(job.spec())
                        && job.state() instanceof JobState.Training);
    return learns
        && open.stream().noneMatch(job -> job.spec().getLine().equals(config.rewardLine()));
  }

  /** The ratings count for the next round as well, which is about the policy. */
  private void refresh(Tenant tenant, Handle handle, Count count) {
    Job reward =
        jobs.create(
            tenant, handle, ids.next().toString(), RoundSpecs.reward(config), "trigger:refresh");
    handle
        .createUpdate("update trigger_count set refreshed = :ratings where dataset = :dataset")
        .bind("ratings", count.ratings())
        .bind("dataset", config.dataset())
        .execute();
    LOG.infof(
        "reward model refreshed while a job learns online tenant=%s ratings=%d rewardJobId=%s",
        tenant, count.ratings() - count.refreshed(), reward.id());
  }

  private void start(Tenant tenant, Handle handle, long ratings, String by, Instant now) {
    Job reward = jobs.create(tenant, handle, ids.next().toString(), RoundSpecs.reward(config), by);
    TrainingSpec after =
        RoundSpecs.policy(config).toBuilder().setAfterJobId(reward.id().toString()).build();
    Job policy = jobs.create(tenant, handle, ids.next().toString(), after, by);
    handle
        .createUpdate(
            """
            insert into training_round
              (reward_job_id, policy_job_id, line, ratings, create_time)
            values (:reward, :policy, :line, :ratings, :now)
            """)
        .bind("reward", reward.id())
        .bind("policy", policy.id())
        .bind("line", config.line().orElseThrow())
        .bind("ratings", ratings)
        .bind("now", now.atOffset(ZoneOffset.UTC))
        .execute();
    handle
        .createUpdate(
            """
            update trigger_count set ratings = 0, refreshed = 0, since = :now, traceparent = null
            where dataset = :dataset
            """)
        .bind("now", now.atOffset(ZoneOffset.UTC))
        .bind("dataset", config.dataset())
        .execute();
    LOG.infof(
        "round started tenant=%s by=%s ratings=%d rewardJobId=%s policyJobId=%s",
        tenant, by, ratings, reward.id(), policy.id());
  }
}
