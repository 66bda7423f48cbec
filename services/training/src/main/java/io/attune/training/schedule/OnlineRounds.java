package io.attune.training.schedule;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.attune.common.v1.Artifact;
import io.attune.platform.error.PlatformException;
import io.attune.platform.storage.ObjectStore;
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
  private final ObjectStore objects;

  @Inject
  OnlineRounds(Jobs jobs, Rounds rounds, Workplace workplace, ObjectStore objects) {
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
      jobs.fail(job.id(), e);
    }
  }

  private void carry(Job job, RoundFolder folder) {
    RoundQuestion question = folder.question();
    if (!rounds.isOpen(job.id(), question.round())) {
      rounds.open(
          job,
          new Rounds.Question(
              question.round(),
              publish(folder.policy()),
              contract(folder.policy()),
              question.prompts().stream().map(Workplace::prompt).toList(),
              question.each()));
      LOG.infof("round begins jobId=%s round=%d", job.id(), question.round());
    }
    Optional<List<RolloutScored>> scored = rounds.collect(job.id(), question.round());
    if (scored.isPresent()) {
      List<RoundFolder.Chunk> chunks = new ArrayList<>();
      for (RolloutScored chunk : scored.get()) {
        chunks.add(new RoundFolder.Chunk(chunk, tokens(chunk.getTokens())));
      }
      folder.answer(chunks);
    }
  }

  private Artifact publish(Path policy) {
    Path staged = objects.stage("adapters");
    try (Stream<Path> files = Files.list(policy)) {
      for (Path file : files.toList()) {
        Files.copy(file, staged.resolve(file.getFileName()));
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot publish the policy in " + policy, e);
    }
    return objects.publishFolder("adapters", staged);
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

  private RolloutTokens tokens(Artifact file) {
    try {
      return RolloutTokens.parseFrom(Files.readAllBytes(objects.open(file)));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read the tokens at " + file.getUri(), e);
    }
  }
}
