package io.attune.training.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.attune.platform.error.PlatformException;
import io.attune.platform.telemetry.Spans;
import io.attune.training.schedule.WorkerLauncher.RunningWorker;
import io.attune.training.worker.JobFolder;
import io.attune.training.worker.WorkerMessage;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.CronJobBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.server.mock.EnableKubernetesMockClient;
import io.fabric8.kubernetes.client.server.mock.KubernetesMockServer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The test plays the cluster: it makes pods of Jobs, has them speak, and ends them. */
@EnableKubernetesMockClient(
    crud = true,
    https = false,
    kubernetesClientBuilderCustomizer = KubernetesWorkersTest.Patient.class)
class KubernetesWorkersTest {
  private static final String ID = "0198c5f2-7d7a-7cc3-98c4-dc0c0c07398f";
  private static final String JOB = "training-" + ID;
  private static final String FIRST = "2026-01-01T10:00:00.000000001Z ";
  private static final String SECOND = "2026-01-01T10:00:00.000000002Z ";

  /** As against a real server, a request is sent again when its connection was closed. */
  public static final class Patient implements Consumer<KubernetesClientBuilder> {
    @Override
    public void accept(KubernetesClientBuilder builder) {
      builder
          .editOrNewConfig()
          .withRequestTimeout(120_000)
          .withRequestRetryBackoffLimit(5)
          .endConfig();
    }
  }

  // Both set by the extension.
  KubernetesMockServer server;
  KubernetesClient cluster;

  /** The cluster's own hand, on connections of its own. */
  private KubernetesClient kubelet;

  private static final String TRACEPARENT =
      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

  @TempDir Path jobs;

  private final Queue<WorkerMessage> said = new ConcurrentLinkedQueue<>();
  private JobFolder folder;

  @BeforeEach
  void template() throws Exception {
    kubelet = server.createClient(new Patient());
    folder = new JobFolder(Files.createDirectories(jobs.resolve(ID)));
    kubelet
        .batch()
        .v1()
        .cronjobs()
        .resource(
            new CronJobBuilder()
                .withNewMetadata()
                .withName("training-worker")
                .endMetadata()
                .withNewSpec()
                .withSuspend(true)
                .withNewJobTemplate()
                .withNewMetadata()
                .addToLabels("kueue.x-k8s.io/queue-name", "training")
                .endMetadata()
                .withNewSpec()
                .withBackoffLimit(0)
                .withNewTemplate()
                .withNewSpec()
                .addNewContainer()
                .withName("worker")
                .withImage("attune/training:1")
                .withCommand("java", "Worker")
                .endContainer()
                .endSpec()
                .endTemplate()
                .endSpec()
                .endJobTemplate()
                .endSpec()
                .build())
        .create();
  }

  @AfterEach
  void close() {
    kubelet.close();
  }

  @Test
  void aJobIsMadeOfTheTemplateAndItsPodIsHeard() throws Exception {
    speaks("one", FIRST + progress(1), SECOND + "a line of the log");
    AtomicReference<RunningWorker> launched = new AtomicReference<>();
    Spans.continuing(TRACEPARENT, () -> launched.set(launch()));
    RunningWorker worker = launched.get();

    Job job = job();
    assertThat(job.getMetadata().getLabels())
        .containsEntry("kueue.x-k8s.io/queue-name", "training");
    assertThat(job.getSpec().getBackoffLimit()).isZero();
    assertThat(job.getSpec().getTemplate().getSpec().getContainers())
        .singleElement()
        .satisfies(
            container -> {
              assertThat(container.getImage()).isEqualTo("attune/training:1");
              assertThat(container.getCommand()).containsExactly("java", "Worker");
              assertThat(container.getArgs()).containsExactly(folder.root().toString());
              assertThat(container.getEnv())
                  .containsExactly(new EnvVar("TRACEPARENT", TRACEPARENT, null));
            });

    Pod pod = runs("one");
    await().atMost(Duration.ofMinutes(2)).until(() -> !said.isEmpty());
    exits(pod, 0);
    ends("Complete");

    assertThat(status(worker)).isZero();
    // However often the log was read again until the pod had ended.
    assertThat(said).containsExactly(new WorkerMessage.Progressed(1, 9, 0.5, -1));
    assertThat(folder.log()).hasContent("a line of the log");
  }

  @Test
  void whatComesAfterAPreemptedPodIsHeardAsWell() throws Exception {
    speaks("one", FIRST + progress(1));
    speaks("two", FIRST + progress(2));
    RunningWorker worker = launch();

    Pod first = runs("one");
    await().atMost(Duration.ofMinutes(2)).until(() -> said.size() == 1);
    exits(first, 143);
    Pod second = runs("two");
    await().atMost(Duration.ofMinutes(2)).until(() -> said.size() == 2);
    exits(second, 0);
    ends("Complete");

    assertThat(status(worker)).isZero();
    assertThat(said)
        .containsExactly(
            new WorkerMessage.Progressed(1, 9, 0.5, -1),
            new WorkerMessage.Progressed(2, 9, 0.5, -1));
  }

  @Test
  void aFailureIsHeardAndHasAStatus() throws Exception {
    speaks("one", FIRST + "{\"event\":\"failed\",\"code\":\"X\",\"message\":\"no\"}");
    RunningWorker worker = launch();

    exits(runs("one"), 2);
    ends("Failed");

    assertThat(status(worker)).isEqualTo(2);
    assertThat(said).containsExactly(new WorkerMessage.Failed("X", "no"));
  }

  @Test
  void aServiceThatComesBackListensToTheJobThatRuns() throws Exception {
    launch();
    String uid = job().getMetadata().getUid();
    speaks("one", FIRST + progress(7));

    RunningWorker again = launch();
    exits(runs("one"), 0);
    ends("Complete");

    assertThat(job().getMetadata().getUid()).isEqualTo(uid);
    assertThat(status(again)).isZero();
    assertThat(said).contains(new WorkerMessage.Progressed(7, 9, 0.5, -1));
  }

  @Test
  void aJobThatFailedMakesRoomForItsSuccessor() throws Exception {
    RunningWorker failing = launch();
    String uid = job().getMetadata().getUid();
    ends("Failed");
    status(failing);

    launch();

    assertThat(job().getMetadata().getUid()).isNotEqualTo(uid);
    assertThat(KubernetesWorker.hasEnded(job())).isFalse();
  }

  @Test
  void oneThatIsStoppedLeavesNoJob() throws Exception {
    RunningWorker worker = launch();

    worker.stop(Duration.ofSeconds(30));

    assertThat(job()).isNull();
    assertThat(status(worker)).isEqualTo(-1);
  }

  @Test
  void oneThatDoesNotStopInTimeIsKilled() throws Exception {
    speaks("one");
    RunningWorker worker = launch();
    runs("one");

    // The Job goes at once here, and its pod does not.
    worker.stop(Duration.ofMillis(200));

    assertThat(kubelet.pods().list().getItems()).isEmpty();
    status(worker);
  }

  @Test
  void aTemplateThatIsNotThereIsNamed() {
    assertThatThrownBy(() -> new KubernetesWorkers(cluster, "other").launch(folder, said::add))
        .isInstanceOf(PlatformException.class)
        .hasMessageContaining("CronJob other");
  }

  private RunningWorker launch() {
    return new KubernetesWorkers(cluster, "training-worker").launch(folder, said::add);
  }

  private Job job() {
    return kubelet.batch().v1().jobs().withName(JOB).get();
  }

  private static String progress(int step) {
    return "{\"event\":\"progressed\",\"step\":%d,\"totalSteps\":9,\"loss\":0.5,\"remainingMillis\":-1}"
        .formatted(step);
  }

  /** What a pod's log answers, whenever and from whatever time it is read. */
  private void speaks(String pod, String... lines) {
    String path = "/api/v1/namespaces/test/pods/" + pod + "/log?pretty=false&container=worker";
    String text = lines.length == 0 ? "" : String.join("\n", lines) + "\n";
    String last = lines.length == 0 ? "" : lines[lines.length - 1].split(" ", 2)[0];
    for (String since : new String[] {"", "&sinceTime=" + last.replace(":", "%3A")}) {
      server
          .expect()
          .get()
          .withPath(path + since + "&timestamps=true&follow=true")
          .andReturn(200, text)
          .always();
    }
  }

  private Pod runs(String name) {
    return kubelet
        .pods()
        .resource(
            new PodBuilder()
                .withNewMetadata()
                .withName(name)
                .addToLabels(KubernetesWorker.JOB_LABEL, JOB)
                .endMetadata()
                .withNewStatus()
                .addNewContainerStatus()
                .withName("worker")
                .withNewState()
                .withNewRunning()
                .endRunning()
                .endState()
                .endContainerStatus()
                .endStatus()
                .build())
        .create();
  }

  private void exits(Pod pod, int status) {
    kubelet
        .pods()
        .withName(pod.getMetadata().getName())
        .editStatus(
            now ->
                new PodBuilder(now)
                    .editStatus()
                    .editFirstContainerStatus()
                    .withNewState()
                    .withNewTerminated()
                    .withExitCode(status)
                    .endTerminated()
                    .endState()
                    .endContainerStatus()
                    .endStatus()
                    .build());
  }

  private void ends(String condition) {
    kubelet
        .batch()
        .v1()
        .jobs()
        .withName(JOB)
        .editStatus(
            now ->
                now.edit()
                    .editOrNewStatus()
                    .addNewCondition()
                    .withType(condition)
                    .withStatus("True")
                    .endCondition()
                    .endStatus()
                    .build());
  }

  private static int status(RunningWorker worker) throws Exception {
    return CompletableFuture.supplyAsync(
            () -> {
              try {
                return worker.await();
              } catch (InterruptedException e) {
                throw new IllegalStateException(e);
              }
            })
        .get(2, TimeUnit.MINUTES);
  }
}
