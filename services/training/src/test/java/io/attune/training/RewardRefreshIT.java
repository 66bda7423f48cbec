package io.attune.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.attune.feedback.v1.Rating;
import io.attune.feedback.v1.RatingAccepted;
import io.attune.platform.database.TenantTransactions;
import io.attune.platform.identity.Tenant;
import io.attune.testkit.Infrastructure;
import io.attune.training.job.Job;
import io.attune.training.job.JobState;
import io.attune.training.job.Jobs;
import io.attune.training.v1.TrainingSpec;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Ratings that come while a job learns online. */
@QuarkusTest
@TestProfile(RewardRefreshIT.Refreshing.class)
@WithTestResource(Infrastructure.class)
@WithTestResource(Ingestion.class)
class RewardRefreshIT {
  private static final Duration LONG = Duration.ofSeconds(120);

  @Inject Jobs jobs;
  @Inject TenantTransactions transactions;

  /** Thirty new ratings are a reason to look again at what people like. */
  public static final class Refreshing implements QuarkusTestProfile {
    @Override
    public Map<String, String> getConfigOverrides() {
      return Map.of(
          "attune.base-model", "/nonexistent",
          "attune.training.parallel-jobs", "0",
          "attune.training.trigger.line", "live-policy",
          "attune.training.trigger.reward-line", "live-reward",
          "attune.training.trigger.dataset", "refreshed",
          "attune.training.trigger.ratings", "1000",
          "attune.training.trigger.refresh-ratings", "30");
    }
  }

  @Test
  void enoughNewRatingsTrainTheRewardModelAnewAndTheRoundGoesOn() {
    send(0, 40);
    awaitUnseen(40);
    assertThat(rewards()).as("nobody learns online").isEmpty();

    Job online = online();
    Job first = awaitRewards(1).get(0);
    assertThat(first.createdBy()).isEqualTo("trigger:refresh");
    assertThat(first.spec().hasReward()).isTrue();
    awaitUnseen(0);

    // One at a time, and ratings that were learnt from once are no reason any more.
    send(40, 75);
    awaitUnseen(35);
    assertThat(rewards()).hasSize(1);
    jobs.cancel(Tenant.DEFAULT, first.id().toString());
    Job second = awaitRewards(2).get(0);
    awaitUnseen(0);
    jobs.cancel(Tenant.DEFAULT, second.id().toString());
    send(75, 100);
    awaitUnseen(25);
    assertThat(rewards()).hasSize(2);
    assertThat(jobs.get(Tenant.DEFAULT, online.id().toString()).state())
        .isInstanceOf(JobState.Training.class);

    // All of them count for the next round of the policy.
    assertThat(column("ratings")).isEqualTo(100);
  }

  private Job online() {
    TrainingSpec spec =
        Messages.fromJson("{\"line\":\"live-policy\",\"grpo\":{}}", TrainingSpec.newBuilder())
            .build();
    Job created = jobs.create(Tenant.DEFAULT, UUID.randomUUID().toString(), spec, "ann");
    return jobs.change(
        Tenant.DEFAULT,
        created.id(),
        (handle, job) -> job.require(JobState.Queued.class).start(Candidates.SNAPSHOT, 0));
  }

  private List<Job> rewards() {
    return jobs.list(Tenant.DEFAULT, "live-reward", Optional.empty(), 10);
  }

  private List<Job> awaitRewards(int count) {
    return await("reward job " + count)
        .atMost(LONG)
        .until(this::rewards, found -> found.size() == count);
  }

  private void awaitUnseen(long ratings) {
    await(ratings + " ratings that no reward model has seen")
        .atMost(LONG)
        .until(() -> column("ratings") - column("refreshed"), unseen -> unseen == ratings);
  }

  private long column(String name) {
    return transactions.inTenant(
        Tenant.DEFAULT,
        handle ->
            handle
                .createQuery("select " + name + " from trigger_count where dataset = 'refreshed'")
                .mapTo(Long.class)
                .findOne()
                .orElse(0L));
  }

  private static void send(int from, int to) {
    Topic.send(
        "ingestion",
        IntStream.range(from, to)
            .mapToObj(
                i ->
                    RatingAccepted.newBuilder()
                        .setRating(
                            Rating.newBuilder()
                                .setId("refresh-" + i)
                                .setDataset("refreshed")
                                .setConversationId("c" + i)
                                .setScore(0.5))
                        .build())
            .toList());
  }
}
