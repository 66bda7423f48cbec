package io.attune.training.release;

import com.google.protobuf.InvalidProtocolBufferException;
import io.attune.common.v1.ErrorCode;
import io.attune.common.v1.Failure;
import io.attune.training.v1.RolloutRequested;
import io.attune.training.v1.RolloutScored;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.statement.StatementContext;

/** The chunks that gates have asked for, in the database, and what came back. */
@ApplicationScoped
public class Rollouts {
  /** The two sides of a comparison, as they are written in RolloutRequested.purpose. */
  public enum Arm {
    CANDIDATE,
    ACTIVE;

    String purpose() {
      return "gate/" + name().toLowerCase(java.util.Locale.ROOT);
    }
  }

  /**
   * A chunk.
   *
   * @param attempt counts from 1; a chunk that failed in passing is asked for again
   * @param scores one for each prompt, once they are there
   * @param rewardVersion which version of the reward line scored
   * @param failure why there are none
   */
  public record Chunk(
      Arm arm,
      int number,
      int attempt,
      RolloutRequested request,
      Instant requestedTime,
      Optional<List<Double>> scores,
      long rewardVersion,
      Optional<Failure> failure) {}

  private static final Pattern ID =
      Pattern.compile(
          "([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/(candidate|active)/(\\d{1,9})/(\\d{1,9})");

  /** Names an attempt at a chunk. */
  static String id(UUID job, Arm arm, int chunk, int attempt) {
    return job + "/" + arm.name().toLowerCase(java.util.Locale.ROOT) + "/" + chunk + "/" + attempt;
  }

  void put(Handle handle, UUID job, Chunk chunk) {
    handle
        .createUpdate(
            """
            insert into gate_rollout (job_id, arm, chunk, attempt, request, requested_time)
            values (:job, :arm, :chunk, :attempt, :request, :time)
            on conflict (job_id, arm, chunk) do update set attempt = excluded.attempt,
              request = excluded.request, requested_time = excluded.requested_time,
              scores = null, reward_version = null, failure = null, failure_code = null
            """)
        .bind("job", job)
        .bind("arm", chunk.arm().name())
        .bind("chunk", chunk.number())
        .bind("attempt", chunk.attempt())
        .bind("request", chunk.request().toByteArray())
        .bind("time", chunk.requestedTime().atOffset(ZoneOffset.UTC))
        .execute();
  }

  /** The chunks of a job in their order; empty before its gate has asked. */
  List<Chunk> of(Handle handle, UUID job) {
    return handle
        .createQuery("select * from gate_rollout where job_id = :job order by arm, chunk")
        .bind("job", job)
        .map(Rollouts::read)
        .list();
  }

  /**
   * Takes what reward has scored. A repeat, an answer to an earlier attempt and one to somebody
   * else's question change nothing.
   */
  public void accept(Handle handle, RolloutScored scored) {
    Matcher id = ID.matcher(scored.getRolloutId());
    if (!id.matches()) {
      return;
    }
    boolean failed = scored.hasFailure();
    Double[] scores =
        failed
            ? null
            : scored.getScoresList().stream().map(Float::doubleValue).toArray(Double[]::new);
    handle
        .createUpdate(
            """
            update gate_rollout set scores = :scores, reward_version = :reward,
              failure = :failure, failure_code = :code
            where job_id = :job and arm = :arm and chunk = :chunk and attempt = :attempt
              and scores is null and failure is null
            """)
        .bindByType("scores", scores, Double[].class)
        .bind("reward", scored.getRewardModel().getVersion())
        .bind("failure", failed ? scored.getFailure().getMessage() : null)
        .bind("code", failed ? scored.getFailure().getCode().name() : null)
        .bind("job", UUID.fromString(id.group(1)))
        .bind("arm", id.group(2).toUpperCase(java.util.Locale.ROOT))
        .bind("chunk", Integer.parseInt(id.group(3)))
        .bind("attempt", Integer.parseInt(id.group(4)))
        .execute();
  }

  private static Chunk read(ResultSet row, StatementContext context) throws SQLException {
    Optional<List<Double>> scores = Optional.empty();
    if (row.getArray("scores") != null) {
      scores = Optional.of(List.of((Double[]) row.getArray("scores").getArray()));
    }
    Optional<Failure> failure = Optional.empty();
    if (row.getString("failure") != null) {
      failure =
          Optional.of(
              Failure.newBuilder()
                  .setCode(ErrorCode.valueOf(row.getString("failure_code")))
                  .setMessage(row.getString("failure"))
                  .build());
    }
    try {
      return new Chunk(
          Arm.valueOf(row.getString("arm")),
          row.getInt("chunk"),
          row.getInt("attempt"),
          RolloutRequested.parseFrom(row.getBytes("request")),
          row.getObject("requested_time", OffsetDateTime.class).toInstant(),
          scores,
          row.getLong("reward_version"),
          failure);
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("a stored rollout request cannot be read", e);
    }
  }
}
