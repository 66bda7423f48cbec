package io.attune.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.attune.platform.database.TenantTransactions;
import io.attune.platform.identity.Tenant;
import io.attune.testkit.Infrastructure;
import io.attune.training.adapter.AdapterLines;
import io.attune.training.v1.AdapterLineChanged;
import io.attune.training.v1.AdapterLineChanged.Change;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.junit.jupiter.api.Test;

/** What readers of lines learn after the topic or the database was lost. */
@QuarkusTest
@TestProfile(NoWorkers.class)
@WithTestResource(Infrastructure.class)
@WithTestResource(Ingestion.class)
class RepeatedLinesIT {
  private static final String LINE = "repeated";

  @Inject Candidates candidates;
  @Inject AdapterLines lines;
  @Inject TenantTransactions transactions;

  @Test
  void theStateIsSaidAgainAndIsNewerThanAllThatWasSaidBefore() {
    candidates.reward(LINE, 0, 20, Optional.empty());
    AdapterLineChanged released = change(Change.CHANGE_RELEASED, 1);

    lines.repeat();

    AdapterLineChanged repeated = change(Change.CHANGE_REPEATED, 1);
    assertThat(repeated.getActive()).isEqualTo(released.getActive());
    assertThat(repeated.getRevision()).isGreaterThan(released.getRevision());

    // As a backup of the database from before the release would have it.
    transactions.useTenant(
        Tenant.DEFAULT,
        handle ->
            handle.execute(
                "update adapter_line set active_version = 0, revision = 1 where line = ?", LINE));
    lines.repeat();

    AdapterLineChanged back = change(Change.CHANGE_REPEATED, 2);
    assertThat(back.hasActive()).isFalse();
    assertThat(back.getRevision()).isGreaterThan(repeated.getRevision());
  }

  /** The nth change of a kind, of this test's line. */
  private static AdapterLineChanged change(Change kind, int nth) {
    List<AdapterLineChanged> found = new ArrayList<>();
    try (KafkaConsumer<String, byte[]> reader = Topic.reader("training.adapters.v1")) {
      await(kind + " of " + LINE)
          .atMost(Duration.ofSeconds(60))
          .until(
              () -> {
                Topic.poll(reader, AdapterLineChanged.class).stream()
                    .filter(change -> change.getLine().equals(LINE) && change.getChange() == kind)
                    .forEach(found::add);
                return found.size() >= nth;
              });
    }
    return found.get(nth - 1);
  }
}
