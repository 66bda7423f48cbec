package io.attune.training.release;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attune.common.v1.AdapterVersion;
import io.attune.training.TrainingConfig;
import io.attune.training.adapter.AdapterLines;
import io.attune.training.adapter.AdapterStore;
import io.attune.training.job.Job;
import io.attune.training.v1.Adapter;
import io.attune.training.v1.GateDecision;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.util.UUID;
import org.jdbi.v3.core.Handle;

/**
 * Compares two reward models by the share of held-out pairs that they put in the order in which
 * people did. The first version of a line is compared with chance, one half.
 */
@ApplicationScoped
public class RewardGate {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final AdapterStore adapters;
  private final TrainingConfig.Gate config;

  @Inject
  public RewardGate(AdapterStore adapters, TrainingConfig config) {
    this.adapters = adapters;
    this.config = config.gate();
  }

  /** Keeps a candidate's exam, in the transaction that submits the candidate. */
  public void open(Handle handle, UUID job, RewardExam exam) {
    try {
      handle
          .createUpdate("update training_job set exam = cast(:exam as jsonb) where id = :id")
          .bind("exam", JSON.writeValueAsString(exam))
          .bind("id", job)
          .execute();
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("an exam has no JSON form", e);
    }
  }

  /** Decides; everything that it needs is there. */
  public GateDecision decide(Handle handle, Job job) {
    RewardExam exam = read(handle, job.id());
    String line = job.spec().getLine();
    // The exam was written by the version that training started from or, without one, by chance.
    AdapterVersion compared =
        adapters
            .find(handle, line, exam.activeVersion())
            .map(Adapter::getVersion)
            .orElse(AdapterLines.base(line));
    Gate gate =
        new Gate(config.rewardMargin(), config.resamples(), job.id().getLeastSignificantBits());
    return gate.decide(
        exam.candidate(),
        exam.active(),
        compared,
        new Gate.Words(
            "share of rightly ordered pairs of answers",
            exam.acrossPrompts() ? "held-out pairs across prompts" : "held-out prompts",
            PolicyGate.words(job.state().work().candidate().orElseThrow()),
            compared.getVersion() == 0 ? "chance" : PolicyGate.words(compared)));
  }

  private static RewardExam read(Handle handle, UUID job) {
    String exam =
        handle
            .createQuery("select exam from training_job where id = :id")
            .bind("id", job)
            .mapTo(String.class)
            .one();
    try {
      return JSON.readValue(exam, RewardExam.class);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("the exam of job " + job + " cannot be read", e);
    }
  }
}
