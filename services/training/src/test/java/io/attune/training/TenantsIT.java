package io.attune.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.attune.common.v1.ErrorCode;
import io.attune.feedback.v1.Rating;
import io.attune.feedback.v1.RatingAccepted;
import io.attune.platform.database.TenantTransactions;
import io.attune.platform.error.PlatformException;
import io.attune.platform.event.EventRecords;
import io.attune.platform.event.KafkaClients;
import io.attune.platform.identity.Tenant;
import io.attune.testkit.Infrastructure;
import io.attune.training.adapter.AdapterCatalog;
import io.attune.training.adapter.AdapterLines;
import io.attune.training.adapter.Lineage;
import io.attune.training.job.Job;
import io.attune.training.job.Jobs;
import io.attune.training.v1.AdapterLineChanged;
import io.attune.training.v1.DpoObjective;
import io.attune.training.v1.TrainingSpec;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import jakarta.inject.Inject;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.junit.jupiter.api.Test;

/** Two tenants in one service: lines and data sets of the same name, and nothing in common. */
@QuarkusTest
@TestProfile(NoWorkers.class)
@WithTestResource(Infrastructure.class)
@WithTestResource(Ingestion.class)
class TenantsIT {
  private static final Tenant ACME = new Tenant("acme");
  private static final Tenant GLOBEX = new Tenant("globex");
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @Inject Candidates candidates;
  @Inject Jobs jobs;
  @Inject AdapterCatalog catalog;
  @Inject AdapterLines lines;
  @Inject Lineage lineage;
  @Inject TenantTransactions transactions;
  @Inject KafkaClients kafka;
  @Inject Clock clock;

  @Test
  void aLineOfTheSameNameIsAnotherLine() {
    UUID acmes = candidates.policy(ACME, "twin", 0);
    UUID globexs = candidates.policy(GLOBEX, "twin", 0);

    assertThat(catalog.list(ACME, "twin", Long.MAX_VALUE, 10).getAdaptersList())
        .singleElement()
        .matches(adapter -> adapter.getJobId().equals(acmes.toString()))
        .matches(adapter -> adapter.getVersion().getVersion() == 1)
        .matches(adapter -> adapter.getArtifact().getUri().contains("/tenants/acme/adapters/"));
    assertThat(lineage.get(GLOBEX, "twin", 1, 0, 10).getLineage().getAdapter().getJobId())
        .isEqualTo(globexs.toString());
    // Nobody looks for it among the default tenant's.
    isNotFound(() -> catalog.list(Tenant.DEFAULT, "twin", Long.MAX_VALUE, 10));
    isNotFound(() -> lines.rollBack(Tenant.DEFAULT, "twin", 0));
    isNotFound(() -> lineage.get(Tenant.DEFAULT, "twin", 1, 0, 10));
    assertThat(announced("twin", 2))
        .extracting(ConsumerRecord::key)
        .contains("acme/twin", "globex/twin");
  }

  @Test
  void aJobOfAnotherTenantIsNotThere() {
    Job job = jobs.create(ACME, UUID.randomUUID().toString(), spec("hidden").build(), "ann");
    String id = job.id().toString();

    isNotFound(() -> jobs.get(GLOBEX, id));
    isNotFound(() -> jobs.cancel(GLOBEX, id));
    isNotFound(() -> jobs.watch(GLOBEX, id));
    isNotFound(
        () ->
            jobs.create(
                GLOBEX,
                UUID.randomUUID().toString(),
                spec("hidden").setAfterJobId(id).build(),
                "ann"));
    assertThat(jobs.list(GLOBEX, "hidden", Optional.empty(), 10)).isEmpty();
    assertThat(jobs.open()).extracting(Job::tenant).contains(ACME);
    assertThat(jobs.cancel(ACME, id).isFinal()).isTrue();
  }

  @Test
  void theSameRequestOfTwoTenantsMakesTwoJobs() {
    String request = UUID.randomUUID().toString();

    Job acmes = jobs.create(ACME, request, spec("requested").build(), "ann");
    Job globexs = jobs.create(GLOBEX, request, spec("requested").build(), "ann");

    assertThat(globexs.id()).isNotEqualTo(acmes.id());
    assertThat(jobs.create(ACME, request, spec("requested").build(), "ann").id())
        .isEqualTo(acmes.id());
    jobs.cancel(ACME, acmes.id().toString());
    jobs.cancel(GLOBEX, globexs.id().toString());
  }

  @Test
  void ratingsOfATenantStartItsOwnRound() {
    accept(ACME, 49);
    accept(GLOBEX, 50);

    await()
        .atMost(PATIENCE)
        .until(() -> !jobs.list(GLOBEX, "triggered", Optional.empty(), 10).isEmpty());
    await().atMost(PATIENCE).until(() -> counted(ACME) == 49);
    assertThat(jobs.list(ACME, "triggered", Optional.empty(), 10)).isEmpty();
    assertThat(jobs.list(Tenant.DEFAULT, "triggered", Optional.empty(), 10)).isEmpty();
    accept(ACME, 1);
    await()
        .atMost(PATIENCE)
        .until(() -> !jobs.list(ACME, "triggered", Optional.empty(), 10).isEmpty());
  }

  @Test
  void aTenantHasOnlySoManyJobsAtOnce() {
    Tenant bounded = new Tenant("bounded");
    String request = UUID.randomUUID().toString();
    Job first = jobs.create(bounded, request, spec("few").build(), "ann");

    assertThatThrownBy(
            () -> jobs.create(bounded, UUID.randomUUID().toString(), spec("few").build(), "ann"))
        .isInstanceOfSatisfying(
            PlatformException.class,
            refused -> assertThat(refused.code()).isEqualTo(ErrorCode.ERROR_CODE_QUOTA_EXCEEDED));
    assertThat(jobs.create(bounded, request, spec("few").build(), "ann").id())
        .isEqualTo(first.id());
    jobs.cancel(bounded, first.id().toString());
    Job second = jobs.create(bounded, UUID.randomUUID().toString(), spec("few").build(), "ann");
    jobs.cancel(bounded, second.id().toString());
  }

  private long counted(Tenant tenant) {
    return transactions.inTenant(
        tenant,
        handle ->
            handle
                .createQuery("select coalesce(sum(ratings), 0)::bigint from trigger_count")
                .mapTo(Long.class)
                .one());
  }

  private void accept(Tenant tenant, int ratings) {
    try (KafkaProducer<String, byte[]> producer = kafka.producer("test")) {
      for (int i = 0; i < ratings; i++) {
        String id = UUID.randomUUID().toString();
        Rating rating =
            Rating.newBuilder()
                .setId(id)
                .setDataset("shop")
                .setConversationId(id)
                .setScore(1)
                .build();
        producer.send(
            EventRecords.encode(
                tenant,
                RatingAccepted.newBuilder().setRating(rating).build(),
                id + "/accepted",
                "ingestion",
                clock.instant()));
      }
    }
  }

  private List<ConsumerRecord<String, byte[]>> announced(String line, int count) {
    List<ConsumerRecord<String, byte[]>> found = new ArrayList<>();
    long end = System.nanoTime() + PATIENCE.toNanos();
    try (KafkaConsumer<String, byte[]> reader = Topic.reader("training.adapters.v1")) {
      while (found.size() < count && System.nanoTime() < end) {
        for (ConsumerRecord<String, byte[]> one : reader.poll(Duration.ofMillis(200))) {
          if (EventRecords.decode(one, AdapterLineChanged.class).getLine().equals(line)) {
            found.add(one);
          }
        }
      }
    }
    return found;
  }

  private static TrainingSpec.Builder spec(String line) {
    return TrainingSpec.newBuilder().setLine(line).setDpo(DpoObjective.getDefaultInstance());
  }

  private static void isNotFound(org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            PlatformException.class,
            refused -> assertThat(refused.code()).isEqualTo(ErrorCode.ERROR_CODE_NOT_FOUND));
  }
}
