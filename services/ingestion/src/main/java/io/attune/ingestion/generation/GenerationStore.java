package io.attune.ingestion.generation;

import com.google.protobuf.InvalidProtocolBufferException;
import io.attune.feedback.v1.RatedAnswer;
import io.attune.platform.database.SqlArrays;
import io.attune.serving.v1.Generation;
import io.attune.serving.v1.GenerationCompleted;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jdbi.v3.core.Handle;

/** The answers that serving gave, by generation id. */
@ApplicationScoped
public class GenerationStore {

  private static final String INSERT =
      """
      INSERT INTO generations (generation_id, conversation_id, answer, completed_time)
      SELECT * FROM unnest(?::text[], ?::text[], ?::bytea[], ?::timestamptz[])
      ON CONFLICT DO NOTHING
      """;

  /** An answer, as ratings need it: without tokens, which training asks for by other means. */
  public record Answered(String conversationId, RatedAnswer answer) {}

  /** Whether the id can be a key: there, and without the one character PostgreSQL cannot store. */
  static boolean canStore(Generation generation) {
    String id = generation.getGenerationId();
    return !id.isEmpty() && id.indexOf(0) < 0;
  }

  /** Stores answers; those stored before stay as they are. */
  public void add(Handle transaction, Collection<GenerationCompleted> completed) {
    // Sorted, so that two writers of the same ids cannot wait for each other in a circle.
    SortedMap<String, GenerationCompleted> byId = new TreeMap<>();
    completed.forEach(event -> byId.putIfAbsent(event.getGeneration().getGenerationId(), event));
    int n = byId.size();
    String[] ids = new String[n];
    String[] conversations = new String[n];
    byte[][] answers = new byte[n][];
    OffsetDateTime[] times = new OffsetDateTime[n];
    int i = 0;
    for (GenerationCompleted event : byId.values()) {
      Generation generation = event.getGeneration();
      ids[i] = generation.getGenerationId();
      // Callers of serving choose it, so that it may hold what PostgreSQL cannot store.
      conversations[i] = generation.getConversationId().replace("\0", "");
      answers[i] = answer(generation).toByteArray();
      times[i] =
          Instant.ofEpochSecond(
                  event.getCompletedTime().getSeconds(), event.getCompletedTime().getNanos())
              .atOffset(ZoneOffset.UTC);
      i++;
    }
    transaction
        .createUpdate(INSERT)
        .bind(0, ids)
        .bind(1, conversations)
        .bind(2, SqlArrays.bytea(answers))
        .bind(3, times)
        .execute();
  }

  /** Those of the ids that are known. */
  public Map<String, Answered> find(Handle handle, Collection<String> ids) {
    Map<String, Answered> found = new HashMap<>();
    if (ids.isEmpty()) {
      return found;
    }
    handle
        .createQuery(
            "SELECT generation_id, conversation_id, answer FROM generations"
                + " WHERE generation_id = ANY(:ids)")
        .bindArray("ids", String.class, List.copyOf(ids))
        .map(
            (row, context) ->
                found.put(
                    row.getString("generation_id"),
                    new Answered(row.getString("conversation_id"), parse(row.getBytes("answer")))))
        .list();
    return found;
  }

  private static RatedAnswer answer(Generation generation) {
    RatedAnswer.Builder answer =
        RatedAnswer.newBuilder()
            .setGenerationId(generation.getGenerationId())
            .setPrompt(generation.getPrompt())
            .setCompletion(generation.getCompletion());
    if (generation.hasAdapter()) {
      answer.setAdapter(generation.getAdapter());
    }
    return answer.build();
  }

  private static RatedAnswer parse(byte[] stored) {
    try {
      return RatedAnswer.parseFrom(stored);
    } catch (InvalidProtocolBufferException corrupt) {
      throw new IllegalStateException(
          "table generations holds bytes that were not written here", corrupt);
    }
  }
}
