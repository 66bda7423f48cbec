package io.attune.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.attune.platform.identity.Tenant;
import io.attune.platform.storage.ObjectStores;
import io.attune.testkit.Infrastructure;
import io.attune.training.adapter.AdapterCatalog;
import io.attune.training.job.Job;
import io.attune.training.job.JobState;
import io.attune.training.job.Jobs;
import io.attune.training.release.Releases;
import io.attune.training.v1.TrainingSpec;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import jakarta.inject.Inject;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Reward jobs that train a whole encoder, from ratings of texts that answer nothing. */
@QuarkusTest
@TestProfile(EncoderJobIT.TinyEncoder.class)
@WithTestResource(Infrastructure.class)
@WithTestResource(Ingestion.class)
class EncoderJobIT {
  private static final Duration LONG = Duration.ofMinutes(4);

  /** An encoder of 31 thousand parameters beside the tiny base model. */
  public static final class TinyEncoder implements QuarkusTestProfile {
    @Override
    public Map<String, String> getConfigOverrides() {
      Map<String, String> settings = new HashMap<>(new TinyModel().getConfigOverrides());
      settings.put(
          "attune.training.reward-encoder",
          TinyModel.FOLDER.resolveSibling("bert-model").toString());
      // An adapter that cannot be read may come back from a backup; not in this test.
      settings.put("attune.training.snapshot-patience", "5s");
      return settings;
    }
  }

  @Inject Jobs jobs;
  @Inject AdapterCatalog catalog;
  @Inject Releases releases;
  @Inject Candidates candidates;
  @Inject ObjectStores stores;

  @BeforeEach
  void ratings() {
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < 160; i++) {
      lines.append(line(i, "praise", "yes yes yes", 0.9)).append(line(i, "blame", "no no no", 0.1));
    }
    Ingestion.holds(Optional.of(lines.toString()));
  }

  private static String line(int i, String kind, String words, double score) {
    return """
    {"rating_id":"%04d-%s","rater":"ann","held_out":%b,"prompt":"",\
    "answers":[{"completion":"%s %d"}],"score":%s}
    """
        .formatted(i, kind, i % 4 == 0, words, i, score);
  }

  @Test
  void aVersionIsAWholeModelAndTheNextOneGoesOnFromIt() {
    JobState.Released first = train("judge").require(JobState.Released.class);

    assertThat(first.work().parentVersion()).isZero();
    assertThat(first.decision().getCandidateMean()).isGreaterThan(0.9);
    assertThat(first.decision().getReason()).contains("across prompts");
    Path folder =
        stores
            .of(Tenant.DEFAULT)
            .open(
                catalog
                    .list(Tenant.DEFAULT, "judge", Long.MAX_VALUE, 1)
                    .getAdapters(0)
                    .getArtifact());
    assertThat(folder.resolve("adapter_config.json")).doesNotExist();
    assertThat(folder)
        .isDirectoryContaining(file -> file.endsWith("config.json"))
        .isDirectoryContaining(file -> file.endsWith("model.safetensors"));

    Job second = train("judge");

    assertThat(second.state()).isInstanceOfAny(JobState.Released.class, JobState.Refused.class);
    assertThat(second.state().work().parentVersion()).isEqualTo(1);
  }

  @Test
  void anAdapterOfTheBaseModelIsNoEncoderToGoOnFrom() {
    releases.examine(
        jobs.get(Tenant.DEFAULT, candidates.reward("mixed", 0, 20, Optional.empty()).toString()));

    // That adapter has no weights, so nothing can be compared with it in the end.
    Job job = train("mixed");

    assertThat(job.state().work().parentVersion()).isZero();
    assertThat(job.state().work().progress().getStep()).isEqualTo(60);
    assertThat(job.state()).isInstanceOf(JobState.Failed.class);
  }

  @Test
  void settingsOfAdaptersAreRefused() {
    Job job = train("\"line\":\"adapted\",\"reward\":{},\"lora\":{\"r\":4}", 60);

    assertThat(job.require(JobState.Failed.class).failure().getMessage()).contains("`spec.lora`");
  }

  private Job train(String line) {
    return train(
        "\"line\":\"%s\",\"reward\":{\"classifier_pooling\":\"mean\"}".formatted(line), 60);
  }

  private Job train(String settings, int steps) {
    String json =
        """
        {%s,"arguments":{"learning_rate":0.003,"per_device_train_batch_size":8,"max_steps":%d,
         "max_length":32,"seed":1}}
        """
            .formatted(settings, steps);
    TrainingSpec spec = Messages.fromJson(json, TrainingSpec.newBuilder()).build();
    UUID id = jobs.create(Tenant.DEFAULT, UUID.randomUUID().toString(), spec, "ann").id();
    return await("job " + id)
        .atMost(LONG)
        .until(() -> jobs.get(Tenant.DEFAULT, id.toString()), Job::isFinal);
  }
}
