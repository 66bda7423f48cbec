package io.attune.acceptance.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import io.attune.acceptance.AttuneProcess;
import io.attune.launcher.local.KillablePlatform;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/**
 * No rating is lost and none counts twice, while broker, database and every service are killed,
 * processes hang and go on, acknowledgements get lost, and some records are poison.
 *
 * <p>Every build runs it for about three minutes; profile {@code chaos} with 100,000 ratings, and
 * every part killed ten times.
 */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class ChaosST {
  private static final Duration LIMIT = Duration.ofMinutes(5);
  private static final Path MODEL =
      AttuneProcess.home().resolve("services/lib/engine/src/test/resources/golden/models/llama");
  private static final ChaosPlan PLAN = ChaosPlan.ofThisBuild();

  private static final Lossy APPLICATION = new Lossy(10);
  private static final Lossy SERVICES = new Lossy(10);
  private static final Lossy COMMITS = new Lossy(25);
  private static final Lossy CALLS = new Lossy(4);

  @TempDir static Path folder;

  private static KillablePlatform platform;
  private static TcpProxy kafka;
  private static TcpProxy postgres;
  private static TcpProxy ingestion;
  private static RatingFeed feed;
  private static Tables tables;
  private static Log log;
  private static Snapshots snapshots;
  private static Audit audit;

  @BeforeAll
  static void start() {
    platform = new KillablePlatform(AttuneProcess.home(), folder.resolve("data"), MODEL);
    kafka =
        TcpProxy.open(
            platform::disturbedKafka,
            () ->
                new Protocol.Kafka(
                    client -> client.equals(RatingFeed.CLIENT) ? APPLICATION : SERVICES));
    postgres = TcpProxy.open(platform::postgres, () -> new Protocol.Postgres(COMMITS));
    platform.start(kafka.port(), postgres.port());
    ingestion = TcpProxy.open(() -> platform.port("ingestion"), () -> new Protocol.Http(CALLS));
    String token =
        platform
            .tokens()
            .mint("chaos", List.of("data-engineer", "trainer", "viewer"), Duration.ofHours(3));
    feed = new RatingFeed(PLAN.seed(), kafka.port(), platform.kafka(), ingestion.port(), token);
    tables = new Tables(platform.postgres());
    log = new Log(platform.kafka());
    snapshots = new Snapshots(() -> platform.url("ingestion"), token);
    audit = new Audit(tables, log, snapshots, feed);
  }

  @AfterAll
  static void stop() throws Exception {
    if (feed != null) {
      feed.close();
    }
    platform.close();
    for (TcpProxy proxy : new TcpProxy[] {kafka, postgres, ingestion}) {
      if (proxy != null) {
        proxy.close();
      }
    }
  }

  @Test
  @Order(1)
  void nothingIsLostAndNothingCountsTwice() throws Exception {
    Storm storm = new Storm(platform, feed, tables, log, snapshots, PLAN);

    storm.rage();
    while (lost().values().stream().mapToInt(n -> n).sum() < PLAN.lostAcknowledgements()) {
      feed.repeatByCall();
    }
    audit.awaitRest(LIMIT);

    Findings findings = audit.findings();
    System.out.printf(
        "%d ratings, %d pills, kills %s, zombies %s, lost acknowledgements %s%n",
        feed.sent().size(), feed.pills().size(), storm.kills(), storm.zombies(), lost());
    assertThat(findings.lost()).isEmpty();
    assertThat(findings.doubled()).isEmpty();
    assertThat(findings.wrong()).isEmpty();
    assertThat(feed.sent()).hasSize(PLAN.ratings());
    assertThat(feed.pills()).hasSize(PLAN.pills());
    assertThat(storm.kills().values()).hasSize(6).allMatch(kills -> kills == PLAN.kills());
    assertThat(storm.zombies()).hasSize(PLAN.zombies());
    assertThat(lost().values()).allMatch(n -> n > 0);
  }

  @Test
  @Order(2)
  void theAuditFindsDoubleRatingsWhereNothingKeepsThemAway() throws Exception {
    Deduplication.switchOff(tables);
    new Storm(platform, feed, tables, log, snapshots, PLAN.control()).rage();
    audit.awaitRest(LIMIT);

    Findings findings = audit.findings();

    assertThat(findings.lost()).isEmpty();
    assertThat(findings.doubled())
        .anyMatch(one -> one.startsWith("outcome_counts accepted"))
        .anyMatch(one -> one.startsWith("trigger_count"));
  }

  private static Map<String, Integer> lost() {
    return Map.of(
        "application", APPLICATION.lost(),
        "services", SERVICES.lost(),
        "commits", COMMITS.lost(),
        "calls", CALLS.lost());
  }
}
