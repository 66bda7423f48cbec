package io.attune.training.rollout;

import com.google.protobuf.InvalidProtocolBufferException;
import io.attune.common.v1.ErrorCode;
import io.attune.common.v1.Failure;
import io.attune.training.v1.RolloutRequested;
import io.attune.training.v1.RolloutScored;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.statement.StatementContext;

/** Rounds and their chunks in the database. Every method runs in its caller's transaction. */
@ApplicationScoped
public class RoundStore {

  /** Notes a round and its version; false when it is there already. */
  boolean open(Handle handle, UUID job, int round, long version) {
    return handle
            .createUpdate(
                """
                insert into rollout_round (job_id, round, version) values (:job, :round, :version)
                on conflict (job_id, round) do nothing
                """)
            .bind("job", job)
            .bind("round", round)
            .bind("version", version)
            .execute()
        == 1;
  }

  /** Whether a round has been asked for. */
  boolean isOpen(Handle handle, UUID job, int round) {
    return versions(handle, job).containsValue(round);
  }

  /** The round that began with each version of the job's rollout line. */
  Map<Long, Integer> versions(Handle handle, UUID job) {
    Map<Long, Integer> rounds = new TreeMap<>();
    handle
        .createQuery("select version, round from rollout_round where job_id = :job")
        .bind("job", job)
        .map((row, context) -> Map.entry(row.getLong("version"), row.getInt("round")))
        .forEach(entry -> rounds.put(entry.getKey(), entry.getValue()));
    return rounds;
  }

  /** Writes a chunk that is asked for, in place of its earlier attempts. */
  void put(Handle handle, RoundChunk chunk) {
    handle
        .createUpdate(
            """
            insert into rollout_chunk (job_id, round, chunk, attempt, request, requested_time)
            values (:job, :round, :chunk, :attempt, :request, :time)
            on conflict (job_id, round, chunk) do update set attempt = excluded.attempt,
              request = excluded.request, requested_time = excluded.requested_time,
              failure = null, failure_code = null
            """)
        .bind("job", chunk.id().job())
        .bind("round", chunk.id().round())
        .bind("chunk", chunk.id().chunk())
        .bind("attempt", chunk.attempt())
        .bind("request", chunk.request().toByteArray())
        .bind("time", chunk.requestedTime().atOffset(ZoneOffset.UTC))
        .execute();
  }

  /** The chunks of a round, in order. */
  List<RoundChunk> chunks(Handle handle, UUID job, int round) {
    return handle
        .createQuery(
            "select * from rollout_chunk where job_id = :job and round = :round order by chunk")
        .bind("job", job)
        .bind("round", round)
        .map(RoundStore::read)
        .list();
  }

  /** One chunk, locked until the transaction ends; empty when nobody asked for it. */
  Optional<RoundChunk> lock(Handle handle, RoundChunk.Id id) {
    return handle
        .createQuery(
            """
            select * from rollout_chunk where job_id = :job and round = :round and chunk = :chunk
            for update
            """)
        .bind("job", id.job())
        .bind("round", id.round())
        .bind("chunk", id.chunk())
        .map(RoundStore::read)
        .findOne();
  }

  /** Keeps the answers of a chunk, for good. */
  void keep(Handle handle, RoundChunk.Id id, RolloutScored scored) {
    handle
        .createUpdate(
            """
            update rollout_chunk set scored = :scored, reward_version = :reward, failure = null,
              failure_code = null
            where job_id = :job and round = :round and chunk = :chunk
            """)
        .bind("scored", scored.toByteArray())
        .bind("reward", scored.getRewardModel().getVersion())
        .bind("job", id.job())
        .bind("round", id.round())
        .bind("chunk", id.chunk())
        .execute();
  }

  /** Notes why a chunk has no answers. */
  void fail(Handle handle, RoundChunk.Id id, Failure failure) {
    handle
        .createUpdate(
            """
            update rollout_chunk set failure = :failure, failure_code = :code
            where job_id = :job and round = :round and chunk = :chunk
            """)
        .bind("failure", failure.getMessage())
        .bind("code", failure.getCode().name())
        .bind("job", id.job())
        .bind("round", id.round())
        .bind("chunk", id.chunk())
        .execute();
  }

  private static RoundChunk read(ResultSet row, StatementContext context) throws SQLException {
    try {
      byte[] scored = row.getBytes("scored");
      String failure = row.getString("failure");
      return new RoundChunk(
          new RoundChunk.Id(
              row.getObject("job_id", UUID.class), row.getInt("round"), row.getInt("chunk")),
          row.getInt("attempt"),
          RolloutRequested.parseFrom(row.getBytes("request")),
          row.getObject("requested_time", OffsetDateTime.class).toInstant(),
          scored == null ? Optional.empty() : Optional.of(RolloutScored.parseFrom(scored)),
          failure == null
              ? Optional.empty()
              : Optional.of(
                  Failure.newBuilder()
                      .setCode(ErrorCode.valueOf(row.getString("failure_code")))
                      .setMessage(failure)
                      .build()));
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("a stored rollout cannot be read", e);
    }
  }
}
