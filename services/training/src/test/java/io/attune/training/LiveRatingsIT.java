package io.attune.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.attune.common.v1.AdapterVersion;
import io.attune.feedback.v1.RatedAnswer;
import io.attune.feedback.v1.Rating;
import io.attune.feedback.v1.RatingAccepted;
import io.attune.platform.database.TenantTransactions;
import io.attune.platform.event.Events;
import io.attune.platform.event.Outbox;
import io.attune.platform.identity.Tenant;
import io.attune.testkit.Infrastructure;
import io.attune.training.adapter.AdapterCatalog;
import io.attune.training.adapter.AdapterLines;
import io.attune.training.adapter.AdapterStore;
import io.attune.training.job.Job;
import io.attune.training.job.JobState;
import io.attune.training.job.Jobs;
import io.attune.training.release.LiveRatingStore;
import io.attune.training.release.LiveRatings;
import io.attune.training.v1.AdapterLineChanged;
import io.attune.training.v1.AdapterLineChanged.Change;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.junit.jupiter.api.Test;

/** Releases that users like less than what was there before, on the real broker and database. */
@QuarkusTest
@TestProfile(NoWorkers.class)
@WithTestResource(Infrastructure.class)
@WithTestResource(Ingestion.class)
class LiveRatingsIT {
  private static final Duration LONG = Duration.ofSeconds(120);

  @Inject Candidates candidates;
  @Inject Jobs jobs;
  @Inject AdapterCatalog catalog;
  @Inject AdapterLines lines;
  @Inject AdapterStore adapters;
  @Inject LiveRatingStore store;
  @Inject Outbox outbox;
  @Inject TrainingConfig config;
  @Inject MovableClock clock;
  @Inject TenantTransactions transactions;

  @Test
  void aReleaseThatPeopleLikeLessIsTakenBackOnce() throws Exception {
    String line = "disliked";
    UUID job = candidates.policy(line, 0);
    List<RatingAccepted> before = ratings(line, 0, "before", 60, 20, 0.8);
    Topic.send("ingestion", before);
    awaitRatings(line, 0, 60);
    release(job);

    List<RatingAccepted> bad = ratings(line, 1, "bad", 60, 20, 0.3);
    Topic.send("ingestion", bad.subList(0, 40));
    awaitRatings(line, 1, 40);
    assertThat(active(line)).as("too few ratings to say").isEqualTo(1);
    Topic.send("ingestion", bad.subList(40, 60));
    await("roll back").atMost(LONG).until(() -> active(line) == 0);

    // As after a restart or beside another replica: it looks, and the same ratings come again.
    Topic.send("ingestion", bad);
    List<CompletableFuture<Void>> others = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      LiveRatings restarted =
          new LiveRatings(transactions, store, lines, adapters, outbox, config, clock);
      others.add(CompletableFuture.runAsync(restarted::look));
    }
    others.forEach(CompletableFuture::join);
    Topic.send("ingestion", ratings(line, 1, "late", 10, 10, 0.1));
    awaitRatings(line, 1, 70);

    List<AdapterLineChanged> changes = changes(line);
    assertThat(changes)
        .extracting(AdapterLineChanged::getChange)
        .containsExactly(
            Change.CHANGE_CANDIDATE, Change.CHANGE_RELEASED, Change.CHANGE_ROLLED_BACK);
    AdapterLineChanged rolledBack = changes.get(2);
    assertThat(rolledBack.hasActive()).isFalse();
    assertThat(rolledBack.getSubject().getVersion().getVersion()).isEqualTo(1);
    assertThat(rolledBack.getLiveRatings().getReason())
        .startsWith("Rolled back: the mean live rating is 0.3000 by 20 raters of version 1")
        .contains("0.8000 by 20 raters of the base model");
    assertThat(state(line)).isEqualTo("ROLLED_BACK");

    // A person who makes it active again has the last word.
    lines.rollBack(Tenant.DEFAULT, line, 1);
    Topic.send("ingestion", ratings(line, 1, "still", 100, 20, 0.1));
    awaitRatings(line, 1, 170);
    new LiveRatings(transactions, store, lines, adapters, outbox, config, clock).look();
    assertThat(active(line)).isEqualTo(1);
  }

  @Test
  void aReleaseThatPeopleLikeAsMuchStaysAndOneLoudRaterIsNoCrowd() throws Exception {
    String line = "liked";
    UUID job = candidates.policy(line, 0);
    Topic.send("ingestion", ratings(line, 0, "before", 60, 20, 0.6));
    awaitRatings(line, 0, 60);
    release(job);

    Topic.send("ingestion", ratings(line, 1, "loud", 60, 1, 0));
    awaitRatings(line, 1, 60);
    await("a look").atMost(LONG).until(() -> nextLook(line) > 50);
    assertThat(active(line)).isEqualTo(1);

    // With others who like it as before, he is one of 21.
    Topic.send("ingestion", ratings(line, 1, "as-before", 140, 20, 0.62));
    await("a comparison").atMost(LONG).until(() -> looks(line) >= 1);
    assertThat(active(line)).isEqualTo(1);

    clock.forward(Duration.ofDays(8));
    await("the end of the watch").atMost(LONG).until(() -> state(line).equals("ESTABLISHED"));
    Topic.send("ingestion", ratings(line, 1, "much-later", 300, 50, 0));
    awaitRatings(line, 1, 500);
    new LiveRatings(transactions, store, lines, adapters, outbox, config, clock).look();
    assertThat(active(line)).isEqualTo(1);
  }

  /** Brings a candidate through the gate. */
  private void release(UUID job) throws Exception {
    try (Graders graders =
        Graders.answering(
            request ->
                List.of(
                    Graders.scored(
                        request, request.getPurpose().equals("gate/candidate") ? 0.8 : 0.5, 1)))) {
      Job done =
          await("job")
              .atMost(LONG)
              .until(() -> jobs.get(Tenant.DEFAULT, job.toString()), Job::isFinal);
      assertThat(done.state()).isInstanceOf(JobState.Released.class);
      assertThat(graders.requests()).isNotEmpty();
    }
  }

  private static List<RatingAccepted> ratings(
      String line, long version, String id, int count, int raters, double score) {
    return IntStream.range(0, count)
        .mapToObj(
            i ->
                RatingAccepted.newBuilder()
                    .setRating(
                        Rating.newBuilder()
                            .setId(line + "/" + id + "/" + i)
                            .setDataset("live")
                            .setConversationId("c" + i)
                            .setRater(id.equals("loud") ? "loud" : "rater " + i % raters)
                            .setScore(score))
                    .addAnswers(
                        RatedAnswer.newBuilder()
                            .setAdapter(
                                AdapterVersion.newBuilder().setLine(line).setVersion(version)))
                    .build())
        .toList();
  }

  private void awaitRatings(String line, long version, long count) {
    await(count + " ratings of version " + version)
        .atMost(LONG)
        .until(
            () ->
                transactions.inTenant(
                    Tenant.DEFAULT,
                    handle ->
                        handle
                            .createQuery(
                                "select count(*) from live_rating"
                                    + " where line = :line and version = :version")
                            .bind("line", line)
                            .bind("version", version)
                            .mapTo(Long.class)
                            .one()),
            found -> found == count);
  }

  private long active(String line) {
    return catalog.list(Tenant.DEFAULT, line, Long.MAX_VALUE, 10).getActive().getVersion();
  }

  private String state(String line) {
    return watched(line, "state", String.class);
  }

  private long nextLook(String line) {
    return watched(line, "next_look", Long.class);
  }

  private int looks(String line) {
    return watched(line, "looks", Integer.class);
  }

  private <T> T watched(String line, String column, Class<T> type) {
    return transactions.inTenant(
        Tenant.DEFAULT,
        handle ->
            handle
                .createQuery("select " + column + " from release_watch where line = :line")
                .bind("line", line)
                .mapTo(type)
                .one());
  }

  /** All changes of the line, of a topic that is read to its present end. */
  private static List<AdapterLineChanged> changes(String line) {
    List<AdapterLineChanged> found = new ArrayList<>();
    try (KafkaConsumer<String, byte[]> reader =
        Topic.reader(Events.topic(AdapterLineChanged.getDescriptor()))) {
      await("the roll back's event")
          .atMost(LONG)
          .until(
              () -> {
                Topic.poll(reader, AdapterLineChanged.class).stream()
                    .filter(change -> change.getLine().equals(line))
                    .forEach(found::add);
                return found.stream()
                    .anyMatch(change -> change.getChange() == Change.CHANGE_ROLLED_BACK);
              });
      for (int i = 0; i < 5; i++) {
        Topic.poll(reader, AdapterLineChanged.class).stream()
            .filter(change -> change.getLine().equals(line))
            .forEach(found::add);
      }
    }
    return found;
  }
}
