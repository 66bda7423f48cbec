package io.attune.acceptance.chaos;

import static org.awaitility.Awaitility.await;

import io.attune.launcher.local.KillablePlatform;
import io.attune.platform.event.Topics;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

/**
 * Sends ratings in portions, and in the middle of each something dies. When is a matter of how far
 * the ratings have come, never of time.
 */
final class Storm {
  private static final Duration LIMIT = Duration.ofMinutes(5);
  private static final List<String> ZOMBIES = List.of("ingestion", "training");
  private static final int PORTIONS_OF_A_SNAPSHOT = 5;

  private final KillablePlatform platform;
  private final RatingFeed feed;
  private final Tables tables;
  private final Log log;
  private final Snapshots snapshots;
  private final ChaosPlan plan;
  private final Random random;
  private final Instant start = Instant.now();
  private final Map<String, Integer> kills = new TreeMap<>();
  private final List<String> zombies = new ArrayList<>();
  private int portions;

  Storm(
      KillablePlatform platform,
      RatingFeed feed,
      Tables tables,
      Log log,
      Snapshots snapshots,
      ChaosPlan plan) {
    this.platform = platform;
    this.feed = feed;
    this.tables = tables;
    this.log = log;
    this.snapshots = snapshots;
    this.plan = plan;
    this.random = new Random(plan.seed());
  }

  /** What happens in the middle of a portion, after what makes it possible. */
  private record Event(Callable<?> preparation, Happening happening) {}

  /** May fail, and the test with it. */
  @FunctionalInterface
  private interface Happening {
    void in(Portion portion) throws Exception;
  }

  /** What is being sent. */
  private record Portion(int ratings, Future<?> sending) {

    void await() throws Exception {
      sending.get(LIMIT.toSeconds(), TimeUnit.SECONDS);
    }
  }

  /** How often each part was killed. */
  Map<String, Integer> kills() {
    return kills;
  }

  /** Which processes hung and went on. */
  List<String> zombies() {
    return zombies;
  }

  /** Returns when all ratings are sent, whatever happened meanwhile. */
  void rage() throws Exception {
    List<Event> events = new ArrayList<>();
    for (String part : platform.parts()) {
      for (int i = 0; i < plan.kills(); i++) {
        events.add(new Event(() -> part, portion -> kill(part, portion)));
      }
    }
    for (int i = 0; i < plan.zombies(); i++) {
      String service = ZOMBIES.get(i % ZOMBIES.size());
      events.add(
          new Event(() -> platform.addReplica(service), portion -> zombie(service, portion)));
    }
    Collections.shuffle(events, random);
    events.add(0, new Event(() -> "nothing", portion -> {})); // first everything runs
    ExecutorService sender = Executors.newSingleThreadExecutor();
    try {
      for (int i = 0; i < events.size(); i++) {
        int from = (int) ((long) plan.ratings() * i / events.size());
        int to = (int) ((long) plan.ratings() * (i + 1) / events.size());
        List<TestRating> ratings =
            IntStream.range(from, to).mapToObj(n -> TestRating.of(plan.seed(), n)).toList();
        int pills = plan.pills() * (i + 1) / events.size() - plan.pills() * i / events.size();
        events.get(i).preparation().call();
        Portion portion = new Portion(to - from, sender.submit(() -> feed.send(ratings, pills)));
        events.get(i).happening().in(portion);
        portion.await();
        if (++portions % PORTIONS_OF_A_SNAPSHOT == 0) {
          snapshots.cut(TestRating.DATASETS.get(random.nextInt(TestRating.DATASETS.size())));
        }
      }
      for (String part : platform.parts()) {
        platform.awaitReady(part);
      }
      feed.finish();
    } finally {
      sender.shutdownNow();
    }
  }

  private void kill(String part, Portion portion) throws Exception {
    awaitProgress(part, portion);
    platform.kill(part);
    kills.merge(part, 1, Integer::sum);
    say("killed " + part);
    platform.restart(part);
    platform.awaitReady(part);
    say(part + " is back");
  }

  /**
   * A process hangs in the middle of its work until another one has done all of it, and then goes
   * on as if nothing had been.
   */
  private void zombie(String service, Portion portion) throws Exception {
    awaitProgress(service, portion);
    platform.suspend(service);
    say(service + " hangs");
    portion.await();
    await("the other process to take over")
        .atMost(LIMIT)
        .ignoreExceptions()
        .until(() -> tables.settled() + tables.pending() >= log.size(Topics.RATINGS));
    await("the other process to read on")
        .atMost(LIMIT)
        .ignoreExceptions()
        .until(() -> tables.readByTrigger() >= log.size("feedback.accepted.v1"));
    platform.resume(service);
    zombies.add(service);
    say(service + " goes on");
    platform.awaitReady(service);
    platform.removeReplica(service);
  }

  /** Waits until a part of the portion, up to the half, has come as far as the part that dies. */
  private void awaitProgress(String part, Portion portion) {
    Callable<Long> progress =
        switch (part) {
          case KillablePlatform.BROKER -> feed::acknowledged;
          case "training" -> tables::triggered;
          default -> tables::settled;
        };
    long before = now(progress);
    long target = before + (long) (portion.ratings() * random.nextDouble() / 2);
    await("progress of " + part)
        .atMost(LIMIT)
        .pollInterval(Duration.ofMillis(20))
        .ignoreExceptions()
        .until(() -> portion.sending().isDone() || progress.call() > target);
  }

  private static long now(Callable<Long> progress) {
    return await().atMost(LIMIT).ignoreExceptions().until(progress, now -> now >= 0);
  }

  private void say(String what) {
    System.out.printf(
        "%5.1f s  %s, %d ratings sent, %d acknowledged%n",
        Duration.between(start, Instant.now()).toMillis() / 1000.0,
        what,
        feed.sent().size(),
        feed.acknowledged());
  }
}
