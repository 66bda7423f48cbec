package io.attune.training.schedule;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.protobuf.InvalidProtocolBufferException;
import io.attune.common.v1.Artifact;
import io.attune.common.v1.ErrorCode;
import io.attune.platform.error.ErrorCodes;
import io.attune.platform.error.Loggable;
import io.attune.platform.error.PlatformException;
import io.attune.platform.identity.Tenant;
import io.attune.platform.storage.ObjectStore;
import io.attune.platform.storage.ObjectStores;
import io.attune.training.job.Job;
import io.attune.training.job.Jobs;
import io.attune.training.rollout.Rounds;
import io.attune.training.v1.RolloutScored;
import io.attune.training.v1.RolloutTokens;
import io.attune.training.worker.RoundFolder;
import io.attune.training.worker.RoundQuestion;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jboss.logging.Logger;

/**
 * Carries questions of workers that learn online to serving and reward, and answers back. All that
 * it goes by is in job folders and in the database, looked at again and again.
 */
@ApplicationScoped
public class OnlineRounds {
  private static final Logger LOG = Logger.getLogger(OnlineRounds.class);
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Jobs jobs;
  private final Rounds rounds;
  private final Workplace workplace;
  private final ObjectStores objects;

  @Inject
  OnlineRounds(Jobs jobs, Rounds rounds, Workplace workplace, ObjectStores objects) {
    this.jobs = jobs;
    this.rounds = rounds;
    this.workplace = workplace;
    this.objects = objects;
  }

  /** Brings the job's newest round on; a job whose answers cannot be had fails. */
  void look(Job job) {
    try {
      workplace
          .folder(job.id())
          .newestRound()
          .filter(round -> !round.isAnswered())
          .ifPresent(round -> carry(job, round));
    } catch (PlatformException e) {
      LOG.warnf("job failed jobId=%s: %s", job.id(), e.getMessage());
      jobs.fail(job, e);
    } catch (RuntimeException e) {
      // Of files or the database: it may pass, and is no reason to leave other jobs alone.
      LOG.warnf(
          Loggable.of(e),
          "a round could not be brought on and is looked at again jobId=%s",
          job.id());
    }
  }

  /** Deletes what rounds left behind whose jobs have ended. */
  void deleteEnded() {
    rounds.deleteEnded();
  }

  private void carry(Job job, RoundFolder folder) {
    RoundQuestion question = folder.question();
    if (!rounds.isOpen(job, question.round())) {
      rounds.open(
          job,
          new Rounds.Question(
              question.round(),
              publish(job, question.round(), folder.policy()),
              contract(folder.policy()),
              question.prompts().stream().map(Workplace::prompt).toList(),
              question.each()));
      LOG.infof("round begins jobId=%s round=%d", job.id(), question.round());
    }
    List<RolloutScored> scored = rounds.collect(job, question.round()).orElse(List.of());
    List<RoundFolder.Chunk> chunks = new ArrayList<>();
    for (RolloutScored chunk : scored) {
      tokens(job.tenant(), chunk)
          .ifPresent(tokens -> chunks.add(new RoundFolder.Chunk(chunk, tokens)));
    }
    if (!scored.isEmpty() && chunks.size() == scored.size()) {
      folder.answer(chunks);
      folder.deletePolicy();
    }
  }

  /** With a file that makes it another one than every other policy, equal as they may be. */
  private Artifact publish(Job job, int round, Path policy) {
    ObjectStore store = objects.of(job.tenant());
    Path staged = store.stage("adapters");
    try (Stream<Path> files = Files.list(policy)) {
      for (Path file : files.toList()) {
        Files.copy(file, staged.resolve(file.getFileName()));
      }
      Files.writeString(
          staged.resolve("round.json"),
          JSON.createObjectNode()
              .put("job_id", job.id().toString())
              .put("round", round)
              .toString());
    } catch (IOException e) {
      throw new UncheckedIOException("cannot publish the policy in " + policy, e);
    }
    return store.publishFolder("adapters", staged);
  }

  private static String contract(Path policy) {
    try {
      return JSON.readTree(policy.resolve("attune.json").toFile())
          .required("contract_sha256")
          .asText();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read the policy in " + policy, e);
    }
  }

  /** The tokens of a chunk; empty where they cannot be read now, or are asked for again. */
  private Optional<RolloutTokens> tokens(Tenant tenant, RolloutScored chunk) {
    Artifact file = chunk.getTokens();
    try {
      return Optional.of(
          RolloutTokens.parseFrom(Files.readAllBytes(objects.of(tenant).open(file))));
    } catch (InvalidProtocolBufferException e) {
      rounds.lose(
          tenant,
          chunk,
          new PlatformException(
              ErrorCode.ERROR_CODE_CORRUPT, "The tokens at " + file.getUri() + " are none.", e));
      return Optional.empty();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read the tokens at " + file.getUri(), e);
    } catch (PlatformException e) {
      if (ErrorCodes.retryable(e.code())) {
        LOG.warnf("a round waits jobId=%s: %s", chunk.getJobId(), e.getMessage());
      } else {
        rounds.lose(tenant, chunk, e);
      }
      return Optional.empty();
    }
  }
}
