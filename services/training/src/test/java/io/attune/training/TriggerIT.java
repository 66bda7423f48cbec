package io.attune.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.attune.feedback.v1.Rating;
import io.attune.feedback.v1.RatingAccepted;
import io.attune.platform.database.TenantTransactions;
import io.attune.platform.identity.Tenant;
import io.attune.testkit.Infrastructure;
import io.attune.training.job.Job;
import io.attune.training.job.Jobs;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

@QuarkusTest
@TestProfile(NoWorkers.class)
@WithTestResource(Infrastructure.class)
@WithTestResource(Ingestion.class)
class TriggerIT {
  @Inject Jobs jobs;
  @Inject TenantTransactions transactions;
  @Inject MovableClock clock;

  @Test
  void enoughRatingsStartOneRoundAndTheNextWaitsForItsEnd() {
    send(0, 49);
    send("other", 1_000, 1_060);
    awaitCount(49);
    assertThat(policies()).isEmpty();

    send(49, 50);
    List<Job> first = awaitRounds(1);

    assertThat(first.get(0).createdBy()).isEqualTo("trigger:count");
    assertThat(first.get(0).spec().getDataset()).isEqualTo("shop");
    assertThat(first.get(0).spec().getArguments().getLearningRate()).isEqualTo(0.0005);
    Job reward = jobs.get(Tenant.DEFAULT, first.get(0).spec().getAfterJobId());
    assertThat(reward.spec().getLine()).isEqualTo("triggered-reward");
    assertThat(reward.spec().hasReward()).isTrue();

    // Enough for another round, but the first one is under way.
    send(50, 110);
    awaitCount(60);
    assertThat(policies()).hasSize(1);
    jobs.cancel(Tenant.DEFAULT, reward.id().toString());
    assertThat(policies()).hasSize(1);
    jobs.cancel(Tenant.DEFAULT, first.get(0).id().toString());
    List<Job> second = awaitRounds(2);
    assertThat(second.get(0).createdBy()).isEqualTo("trigger:count");

    // Fewer ratings do once enough time has passed; a hundred is the least.
    cancelAll(second);
    send(110, 150);
    awaitCount(40);
    clock.forward(Duration.ofHours(25));
    assertThat(policies()).hasSize(2);
  }

  @Test
  void aRatingCountsOnceHoweverOftenItsEventIsSent() {
    // As the sender's relay does that died after it had sent, before it had noted so.
    List<RatingAccepted> events = ratings("repeated", 0, 20).toList();
    for (int i = 0; i < 3; i++) {
      Topic.send("ingestion", events, TriggerIT::eventId);
    }
    // In their conversation, and so after them.
    Topic.send("ingestion", ratings("after", 1_000, 1_001).toList());

    await("what came last")
        .atMost(Duration.ofSeconds(60))
        .until(() -> count("after"), count -> count == 1);
    assertThat(count("repeated")).isEqualTo(20);
  }

  private void cancelAll(List<Job> policies) {
    for (Job policy : policies) {
      jobs.cancel(Tenant.DEFAULT, policy.spec().getAfterJobId());
      jobs.cancel(Tenant.DEFAULT, policy.id().toString());
    }
  }

  private List<Job> policies() {
    return jobs.list(Tenant.DEFAULT, "triggered", Optional.empty(), 10);
  }

  private List<Job> awaitRounds(int count) {
    return await("round " + count)
        .atMost(Duration.ofSeconds(60))
        .until(this::policies, found -> found.size() == count);
  }

  private void awaitCount(long ratings) {
    await("count of " + ratings)
        .atMost(Duration.ofSeconds(60))
        .until(() -> count("shop"), count -> count == ratings);
  }

  private long count(String dataset) {
    return transactions.inTenant(
        Tenant.DEFAULT,
        handle ->
            handle
                .createQuery("select ratings from trigger_count where dataset = :dataset")
                .bind("dataset", dataset)
                .mapTo(Long.class)
                .findOne()
                .orElse(0L));
  }

  private static void send(int from, int to) {
    send("shop", from, to);
  }

  private static void send(String dataset, int from, int to) {
    Topic.send("ingestion", ratings(dataset, from, to).toList());
  }

  private static String eventId(RatingAccepted accepted) {
    return accepted.getRating().getId() + "/accepted";
  }

  private static Stream<RatingAccepted> ratings(String dataset, int from, int to) {
    return IntStream.range(from, to)
        .mapToObj(
            i ->
                RatingAccepted.newBuilder()
                    .setRating(
                        Rating.newBuilder()
                            .setId("r" + i)
                            .setDataset(dataset)
                            .setConversationId("c")
                            .setScore(0.5))
                    .build());
  }
}
