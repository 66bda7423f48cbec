package io.attune.training.rollout;

import io.attune.common.v1.Failure;
import io.attune.training.v1.RolloutRequested;
import io.attune.training.v1.RolloutScored;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A part of a round's prompts, which one replica answers.
 *
 * @param attempt counts from 1; a chunk that failed in passing, was lost or came back stale is
 *     asked for again
 * @param scored the answers, once they are there
 * @param failure why there are none
 */
record RoundChunk(
    Id id,
    int attempt,
    RolloutRequested request,
    Instant requestedTime,
    Optional<RolloutScored> scored,
    Optional<Failure> failure) {

  /** Which chunk of which round. */
  record Id(UUID job, int round, int chunk) {
    private static final Pattern PATTERN =
        Pattern.compile("([0-9a-f-]{36})/round/(\\d{1,9})/(\\d{1,9})/(\\d{1,9})");

    /** The name of an attempt, by which its answers are known. */
    String rolloutId(int attempt) {
      return job + "/round/" + round + "/" + chunk + "/" + attempt;
    }

    /** The chunk that a rollout id names; empty for an id that is not of a round. */
    static Optional<Id> of(String rolloutId) {
      Matcher id = PATTERN.matcher(rolloutId);
      return id.matches()
          ? Optional.of(
              new Id(
                  UUID.fromString(id.group(1)),
                  Integer.parseInt(id.group(2)),
                  Integer.parseInt(id.group(3))))
          : Optional.empty();
    }
  }

  /** Answers that were asked for. */
  int answers() {
    return request.getPromptsCount() * request.getGenerationsPerPrompt();
  }
}
