package io.attune.training.schedule;

import io.attune.common.v1.ErrorCode;
import io.attune.platform.error.PlatformException;
import io.attune.platform.telemetry.TraceParent;
import io.attune.training.worker.JobFolder;
import io.attune.training.worker.WorkerMessage;
import io.fabric8.kubernetes.api.model.DeletionPropagation;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.batch.v1.CronJob;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.JobTemplateSpec;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.KubernetesClientTimeoutException;
import io.fabric8.kubernetes.client.dsl.ScalableResource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jboss.logging.Logger;

/**
 * Runs each job in a Kubernetes Job, whose template is a CronJob that never runs by itself: what
 * {@code kubectl create job --from} takes, and what administrators can change like any workload.
 *
 * <p>The Job carries the name of its folder. So a service that was killed finds the Job which still
 * runs and listens to it; and the folder, on a volume that both see, is all that a pod needs which
 * comes in place of one that was evicted or preempted.
 */
public class KubernetesWorkers implements WorkerLauncher {
  private static final Logger LOG = Logger.getLogger(KubernetesWorkers.class);
  private static final String NAME_PREFIX = "training-";

  /** More than the grace of the template's pods. */
  private static final long GONE_SECONDS = 120;

  private final KubernetesClient cluster;
  private final String template;

  /**
   * @param template the CronJob's name
   */
  public KubernetesWorkers(KubernetesClient cluster, String template) {
    this.cluster = cluster;
    this.template = template;
  }

  @Override
  public RunningWorker launch(JobFolder folder, Consumer<WorkerMessage> listener) {
    String name = NAME_PREFIX + folder.root().getFileName();
    try {
      ScalableResource<Job> job = cluster.batch().v1().jobs().withName(name);
      Job there = job.get();
      if (there != null && !isRunning(there)) {
        // Of a process that died: its successor has the same name.
        job.withPropagationPolicy(DeletionPropagation.FOREGROUND).delete();
        job.waitUntilCondition(gone -> gone == null, GONE_SECONDS, TimeUnit.SECONDS);
        there = null;
      }
      if (there == null) {
        cluster.batch().v1().jobs().resource(create(name, folder)).create();
      } else {
        LOG.infof("listening to a worker of a service before this one job=%s", name);
      }
      return KubernetesWorker.follow(cluster, name, folder.log(), listener);
    } catch (KubernetesClientTimeoutException e) {
      throw unavailable(
          "An ended Job, %s, is not gone after %d s.".formatted(name, GONE_SECONDS), e);
    } catch (KubernetesClientException e) {
      throw unavailable(
          "The Job %s cannot be started: %s. May this service's account create Jobs?"
              .formatted(name, e.getMessage()),
          e);
    }
  }

  private static PlatformException unavailable(String message, KubernetesClientException cause) {
    return new PlatformException(ErrorCode.ERROR_CODE_UNAVAILABLE, message, cause);
  }

  private static boolean isRunning(Job job) {
    return job.getMetadata().getDeletionTimestamp() == null && !KubernetesWorker.hasEnded(job);
  }

  private static List<EnvVar> traceparent() {
    return Optional.ofNullable(TraceParent.current())
        .map(value -> new EnvVar(TraceParent.ENVIRONMENT, value, null))
        .stream()
        .toList();
  }

  private Job create(String name, JobFolder folder) {
    CronJob cronJob = cluster.batch().v1().cronjobs().withName(template).get();
    if (cronJob == null) {
      throw new PlatformException(
          ErrorCode.ERROR_CODE_INTERNAL,
          "There is no CronJob %s to make a Job of: apply k8s/base/training, or set"
                  .formatted(template)
              + " attune.training.worker.template.");
    }
    JobTemplateSpec of = cronJob.getSpec().getJobTemplate();
    return new JobBuilder()
        .withMetadata(of.getMetadata())
        .withSpec(of.getSpec())
        .editOrNewMetadata()
        .withName(name)
        .addToAnnotations("cronjob.kubernetes.io/instantiate", "manual")
        .endMetadata()
        .editSpec()
        .editTemplate()
        .editSpec()
        .editMatchingContainer(container -> KubernetesWorker.CONTAINER.equals(container.getName()))
        .withArgs(List.of(folder.root().toString()))
        .addAllToEnv(traceparent())
        .endContainer()
        .endSpec()
        .endTemplate()
        .endSpec()
        .build();
  }
}
