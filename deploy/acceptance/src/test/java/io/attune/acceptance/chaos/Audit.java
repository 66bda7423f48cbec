package io.attune.acceptance.chaos;

import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.protobuf.Message;
import io.attune.feedback.v1.RatingAccepted;
import io.attune.feedback.v1.RatingRejected;
import io.attune.platform.event.EventRecords;
import io.attune.platform.event.Events;
import io.attune.platform.event.Topics;
import io.attune.platform.storage.Digests;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** Compares everything that the platform says of ratings with the ratings that were sent. */
final class Audit {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Tables tables;
  private final Log log;
  private final Snapshots snapshots;
  private final RatingFeed feed;

  Audit(Tables tables, Log log, Snapshots snapshots, RatingFeed feed) {
    this.tables = tables;
    this.log = log;
    this.snapshots = snapshots;
    this.feed = feed;
  }

  private record Stored(String id, String dataset, String state, RatingAccepted value) {}

  private record Cut(String id, Path file, long ratings, long heldOut) {}

  /** Waits until nothing moves: every record is read, every event is sent and read. */
  void awaitRest(Duration limit) {
    await("every record of a rating to be read, and its event too")
        .atMost(limit)
        .pollInterval(Duration.ofMillis(500))
        .ignoreExceptions()
        .until(
            () ->
                tables.settled() >= log.size(Topics.RATINGS)
                    && tables.pending() == 0
                    && tables.unsent() == 0
                    && tables.readByTrigger()
                        == log.size(Events.topic(RatingAccepted.getDescriptor())));
  }

  Findings findings() throws Exception {
    Findings found = new Findings();
    Map<String, Long> byDataset = ratings(found);
    found.compare(
        "records of the topic that ingestion counts", tables.settled(), log.size(Topics.RATINGS));
    for (String dataset : TestRating.DATASETS) {
      long ratings = byDataset.getOrDefault(dataset, 0L);
      found.compare(
          "outcome_counts accepted of " + dataset,
          tables.number(
              "select coalesce(sum(n), 0) from ingestion.outcome_counts"
                  + " where outcome = 'accepted' and dataset = '%s'".formatted(dataset)),
          ratings);
      found.compare(
          "trigger_count of " + dataset,
          tables.number(
              "select coalesce(sum(ratings), 0) from training.trigger_count where dataset = '%s'"
                  .formatted(dataset)),
          ratings);
      found.compare("ratings of a snapshot of " + dataset, snapshots.cut(dataset), ratings);
    }
    found.compare(
        "outcome_counts rejected",
        tables.number(
            "select coalesce(sum(n), 0) from ingestion.outcome_counts where outcome = 'rejected'"),
        feed.pills().size());
    accepted(found);
    rejected(found);
    files(found);
    return found;
  }

  /** The rows against what was sent; how many of each data set there are. */
  private Map<String, Long> ratings(Findings found) throws Exception {
    List<Stored> rows =
        tables.rows(
            "select rating_id, dataset, state, value from ingestion.ratings",
            row ->
                new Stored(
                    row.getString("rating_id"),
                    row.getString("dataset"),
                    row.getString("state"),
                    parse(row.getBytes("value"))));
    Set<String> missing = new TreeSet<>(feed.sent().keySet());
    for (Stored row : rows) {
      TestRating sent = feed.sent().get(row.id());
      missing.remove(row.id());
      if (sent == null) {
        found.wrong("a rating that nobody sent: " + row.id());
      } else if (!row.state().equals("ACCEPTED") || !sent.isIn(row.value())) {
        found.wrong("not as it was sent: " + row.id());
      }
    }
    found.compare("ratings stored, without " + first(missing), rows.size(), feed.sent().size());
    return rows.stream().collect(Collectors.groupingBy(Stored::dataset, Collectors.counting()));
  }

  private static RatingAccepted parse(byte[] value) {
    try {
      return RatingAccepted.parseFrom(value);
    } catch (com.google.protobuf.InvalidProtocolBufferException e) {
      return RatingAccepted.getDefaultInstance();
    }
  }

  private static String first(Set<String> ids) {
    return ids.stream().limit(5).collect(Collectors.joining(", "));
  }

  /** One event for each rating; equal ids are one event, and say the same. */
  private void accepted(Findings found) throws Exception {
    Map<String, RatingAccepted> events = byId(RatingAccepted.class, found);
    Set<String> missing = new TreeSet<>(feed.sent().keySet());
    events.values().forEach(one -> missing.remove(one.getRating().getId()));
    found.compare(
        "events of accepted ratings, without " + first(missing), events.size(), feed.sent().size());
    for (RatingAccepted event : events.values()) {
      TestRating sent = feed.sent().get(event.getRating().getId());
      if (sent == null || !sent.isIn(event)) {
        found.wrong("an event that is not as it was sent: " + event.getRating().getId());
      }
    }
  }

  /** One dead letter for each pill, with the pill's bytes as far as they are kept. */
  private void rejected(Findings found) throws Exception {
    Map<String, RatingRejected> letters = byId(RatingRejected.class, found);
    found.compare("dead letters", letters.size(), feed.pills().size());
    Map<String, Long> byPill = new HashMap<>();
    for (RatingRejected letter : letters.values()) {
      String payload = letter.getPayload().toString(StandardCharsets.ISO_8859_1);
      byPill.merge(letter.getConversationId() + payload, 1L, Long::sum);
    }
    for (Pill pill : feed.pills()) {
      String value = new String(pill.toRecord().value(), StandardCharsets.ISO_8859_1);
      String kept = value.substring(0, Math.min(value.length(), 64 * 1024));
      found.compare(
          "dead letters of pill " + pill.number(),
          byPill.getOrDefault(pill.toRecord().key() + kept, 0L),
          1);
    }
  }

  private <M extends Message> Map<String, M> byId(Class<M> type, Findings found) throws Exception {
    String topic =
        Events.topic(
            type.equals(RatingAccepted.class)
                ? RatingAccepted.getDescriptor()
                : RatingRejected.getDescriptor());
    Map<String, M> events = new LinkedHashMap<>();
    log.read(topic)
        .forEach(
            one -> {
              M event = EventRecords.decode(one, type);
              M before = events.putIfAbsent(EventRecords.id(one), event);
              if (before != null && !before.equals(event)) {
                found.wrong("two events of one id: " + EventRecords.id(one));
              }
            });
    return events;
  }

  /** Every snapshot, those that were cut in the storm too. */
  private void files(Findings found) throws Exception {
    List<Cut> cuts =
        tables.rows(
            "select id, uri, ratings, held_out_ratings from ingestion.snapshots",
            row ->
                new Cut(
                    row.getString("id"),
                    Path.of(java.net.URI.create(row.getString("uri"))),
                    row.getLong("ratings"),
                    row.getLong("held_out_ratings")));
    for (Cut cut : cuts) {
      if (!Digests.sha256(cut.file()).equals(cut.id())) {
        found.wrong("a snapshot that is not the one of its name: " + cut.id());
      }
      Set<String> ids = new TreeSet<>();
      long heldOut = 0;
      List<String> lines = Files.readAllLines(cut.file());
      for (String line : lines) {
        JsonNode row = JSON.readTree(line);
        ids.add(row.get("rating_id").textValue());
        heldOut += row.get("held_out").booleanValue() ? 1 : 0;
      }
      found.compare("lines of snapshot " + cut.id(), lines.size(), cut.ratings());
      found.compare("ratings of snapshot " + cut.id(), cut.ratings(), ids.size());
      found.compare("held-out ratings of snapshot " + cut.id(), cut.heldOut(), heldOut);
    }
  }
}
